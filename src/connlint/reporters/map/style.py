"""How the page of the map looks: light and dark, on a screen and on paper."""

from connlint.reporters.palette import PALETTE

STYLE = PALETTE + """\
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI","Noto Sans",
"DejaVu Sans",sans-serif}
main,header{max-width:1400px;margin:0 auto;padding:0 24px}
header{padding-top:28px}
h1{font-size:26px;margin:0}
h2{font-size:19px;margin:40px 0 2px;overflow-wrap:anywhere}
p{margin:4px 0 12px;color:var(--soft)}
a{color:var(--link);text-decoration:none}
nav{display:flex;flex-wrap:wrap;gap:6px 18px;margin:10px 0 0}
code{font:12.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;
overflow-wrap:anywhere}
dd code{white-space:pre-wrap}
.frame{overflow-x:auto;background:var(--back);border:1px solid var(--line);border-radius:10px;margin:10px 0 14px}
svg.map{display:block;width:100%;height:auto;margin:0 auto;font-family:inherit}
svg .box{fill:var(--box);stroke:var(--line);stroke-width:1.5}
svg .store .box{fill:var(--store);stroke:var(--store-line)}svg .rim{fill:none;stroke:var(--store-line);stroke-width:1.5}
svg .external .box,svg .machine .box{fill:none;stroke:var(--edge);stroke-dasharray:2 4}
svg .unknown .box{fill:none;stroke:var(--soft);stroke-dasharray:6 4}
svg .loopback .box{fill:none;stroke:var(--edge);stroke-dasharray:6 4}
svg .bad>.box{stroke:var(--bad)}svg .bad>.rim{stroke:var(--bad)}
svg a.node:hover .box,svg a.node:focus .box{stroke:var(--link);stroke-width:2.5}
svg text{fill:var(--ink);font-size:12px}
svg text.title{font-size:14px;font-weight:600}
svg .external text.title,svg .machine text.title,svg .loopback text.title,svg .unknown text.title{font-size:12.5px;
font-weight:500}
svg text.plain{fill:var(--soft)}
svg text.ports,svg .edge text{font:11px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
svg .edge path{fill:none;stroke:var(--edge);stroke-width:1.4}
svg .edge text{fill:var(--soft)}
svg .edge.default path{stroke-dasharray:6 4}svg .edge.browser path{stroke-dasharray:1.5 4;stroke-linecap:round}
svg .edge.wait path{stroke-dasharray:2 4;opacity:.75}svg .edge.wait text{opacity:.75}
svg .edge.bad path{stroke:var(--bad)}svg .edge.bad text{fill:var(--bad)}
svg .head path{fill:var(--edge)}svg .head.bad path{fill:var(--bad)}
svg rect.pill{fill:var(--pill);stroke:var(--pill-line)}svg text.pill{fill:var(--pill-ink);font-size:10.5px}
svg .badge circle{stroke:var(--back);stroke-width:2}
svg .badge text{fill:#fff;font-size:11px;font-weight:700;text-anchor:middle}
svg .badge.error circle{fill:var(--bad)}svg .badge.warning circle{fill:var(--warn)}
svg .badge.note circle{fill:var(--note)}
.services{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,560px),1fr));gap:12px;align-items:start}
details{background:var(--back);border:1px solid var(--line);border-radius:10px;padding:10px 16px;scroll-margin-top:16px}
details:has(:target){border-color:var(--link);box-shadow:0 0 0 2px var(--link)}
summary{cursor:pointer;font-weight:600;overflow-wrap:anywhere}
summary .soft{font-weight:400}
.soft{color:var(--soft)}
.tag{display:inline-block;font-size:12px;font-weight:600;line-height:1.5;border-radius:10px;padding:0 8px;
margin-left:6px;background:var(--page);color:var(--soft);border:1px solid var(--line)}
.error{background:var(--bad-back);color:var(--bad)}.warning{background:var(--warn-back);color:var(--warn)}
.note{background:var(--note-back);color:var(--note)}.tag.error,.tag.warning,.tag.note{border-color:currentColor}
dl{display:grid;grid-template-columns:92px 1fr;gap:4px 12px;margin:8px 0 4px}
dt{color:var(--soft)}dd{margin:0;min-width:0;overflow-wrap:anywhere}
dd+dd{grid-column:2}
ul{list-style:none;margin:8px 0 4px;padding:0}
li.trouble{border-radius:6px;padding:5px 10px;margin:5px 0;color:var(--ink)}
li.trouble b{font-weight:600}
.legend{display:flex;flex-wrap:wrap;gap:4px 20px;font-size:13px;color:var(--soft);margin:14px 0 0}
.legend span::before{content:"";display:inline-block;width:26px;margin-right:7px;vertical-align:4px;
border-top:2px solid var(--edge)}
.legend .default::before{border-top-style:dashed}.legend .browser::before{border-top-style:dotted}
.legend .bad::before{border-color:var(--bad)}
.legend .unknown::before{width:20px;height:11px;border:1.5px dashed var(--soft);border-radius:5px;vertical-align:-1px}
.legend .beside::before{content:"→";border:0;width:auto;vertical-align:0}
.q{color:var(--warn)}
footer{max-width:1400px;margin:36px auto;padding:0 24px;font-size:13px;color:var(--soft)}
@media print{.frame{overflow:visible}svg.map{max-width:100%;height:auto}}
"""
