"""How the page of the report looks: light and dark, on a screen and on paper."""

from connlint.reporters.palette import PALETTE

STYLE = PALETTE + """\
:root{--mark:#fff3b0;--hit:#fffbe6;--old:#ffebe9;--new:#e6ffec;--old-ink:#82071e;--new-ink:#0f5323}
@media(prefers-color-scheme:dark){:root{--mark:#5c4a00;--hit:#1f1a06;--old:#3c1618;--new:#0f2d1a;--old-ink:#ffa198;
--new-ink:#7ee787}}
*{box-sizing:border-box}
[hidden]{display:none!important}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI","Noto Sans",
"DejaVu Sans",sans-serif}
header,main,footer{max-width:1100px;margin:0 auto;padding:0 24px}
header{padding-top:28px}
h1{font-size:26px;margin:0;overflow-wrap:anywhere}
h2{font-size:15px;margin:28px 0 8px;overflow-wrap:anywhere;scroll-margin-top:80px}
h3{font-size:12.5px;margin:14px 0 4px;color:var(--soft);text-transform:uppercase;letter-spacing:.04em}
p{margin:4px 0}
header p,.rest,.rules p{color:var(--soft)}
a{color:var(--link);text-decoration:none}
a:hover{text-decoration:underline}
code,pre,.file h2,.at{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
code{font-size:.88em;overflow-wrap:anywhere}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.filter{position:sticky;top:0;z-index:1;display:flex;flex-wrap:wrap;align-items:center;gap:8px 14px;max-width:1100px;
margin:16px auto 0;padding:10px 24px;background:var(--page);border-bottom:1px solid var(--line)}
.filter fieldset{border:0;padding:0;margin:0;display:flex;gap:6px}
.words{flex:1 1 220px}
input[type=search],select,button{font:inherit;color:inherit;background:var(--back);border:1px solid var(--line);
border-radius:6px;padding:4px 10px;max-width:100%}
input[type=search]{width:100%}
button{cursor:pointer}
button:hover,select:hover{border-color:var(--soft)}
:focus-visible{outline:2px solid var(--link);outline-offset:1px}summary:focus-visible{outline-offset:-2px}
.level{display:inline-flex;align-items:center;gap:4px;cursor:pointer}
.level input{margin:0;accent-color:var(--link)}
.level input:not(:checked)+.tag{opacity:.45}
output{color:var(--soft);font-size:13px;white-space:nowrap}
.tag{display:inline-block;flex:none;font-size:12px;font-weight:600;line-height:1.5;border-radius:10px;padding:0 8px;
border:1px solid currentColor}
.tag.error{background:var(--bad-back);color:var(--bad)}.tag.warning{background:var(--warn-back);color:var(--warn)}
.tag.note{background:var(--note-back);color:var(--note)}
h3 .tag{text-transform:none;letter-spacing:0;margin-left:8px;font-size:11px}
.finding{background:var(--back);border:1px solid var(--line);border-radius:8px;margin:0 0 8px;scroll-margin-top:80px;
content-visibility:auto;contain-intrinsic-size:auto 48px}
.finding:target{border-color:var(--link);box-shadow:0 0 0 1px var(--link)}
summary{display:flex;align-items:baseline;gap:10px;padding:9px 14px;cursor:pointer;list-style:none;border-radius:8px}
summary::-webkit-details-marker{display:none}
summary::before{content:"";flex:none;align-self:flex-start;margin-top:7px;width:0;height:0;
border:4.5px solid transparent;
border-left:6px solid var(--soft);border-right:0}
[open]>summary::before{transform:rotate(90deg)}
summary:hover::before{border-left-color:var(--link)}
.message{flex:1;min-width:0;overflow-wrap:anywhere}
.where{flex:none;color:var(--soft);max-width:40%;text-align:right;overflow-wrap:anywhere}
.at{font-size:12.5px;color:var(--soft)}
.body{padding:0 14px 10px 28px}
pre{margin:6px 0;padding:6px 0;font-size:12.5px;line-height:1.55;background:var(--page);border:1px solid var(--line);
border-radius:6px;overflow-x:auto;tab-size:4}
.row{display:block;width:max-content;min-width:100%;padding:0 12px 0 64px;position:relative;white-space:pre}
.row:empty::after{content:" "}
.row::before{content:attr(data-n);position:absolute;left:0;width:46px;text-align:right;color:var(--soft);opacity:.8;
user-select:none}
.hit{background:var(--hit)}
mark{background:var(--mark);color:inherit;border-radius:2px}
.old{background:var(--old);color:var(--old-ink)}.new{background:var(--new);color:var(--new-ink)}
.old::after,.new::after{position:absolute;left:51px;top:0;content:"-"}.new::after{content:"+"}
ol,ul{margin:0;padding-left:22px}
li{margin:4px 0}
li pre{margin:1px 0 5px;padding:0;border:0;background:none}li .hit{background:none}
li .row{padding-left:0}li .row::before{content:none}
.aside{color:var(--soft)}
.more{display:flex;gap:18px;font-size:13px;margin-top:10px}
.rules dl{display:grid;grid-template-columns:max-content 1fr;gap:8px 18px;margin:0}
.rules dt{font-weight:600;scroll-margin-top:80px}.rules dd{margin:0;min-width:0}
.rules dt:target code{background:var(--mark)}
.clean,#none{margin:40px 0;text-align:center;color:var(--soft)}
kbd{font:12px ui-monospace,Menlo,Consolas,monospace;border:1px solid var(--line);border-bottom-width:2px;
border-radius:4px;padding:0 5px;background:var(--back)}
footer{margin:36px auto;font-size:13px;color:var(--soft);display:flex;flex-wrap:wrap;gap:8px 24px;
justify-content:space-between}
.keys{display:none;flex-wrap:wrap;gap:4px 16px}
.alive .keys{display:flex}
@media(max-width:720px){header,main,footer,.filter{padding-left:12px;padding-right:12px}summary{flex-wrap:wrap}
.message{flex-basis:70%}.where{max-width:100%;text-align:left;padding-left:20px}.body{padding-left:14px}
.rules dl{grid-template-columns:1fr;gap:2px}.rules dd{margin-bottom:10px}.row{padding-left:50px}
.row::before{width:34px}.old::after,.new::after{left:38px}}
@media print{.filter,.keys,.more{display:none!important}.finding{break-inside:avoid;content-visibility:visible}
pre{overflow:visible;white-space:pre-wrap}.row{width:auto;white-space:pre-wrap}}
"""
