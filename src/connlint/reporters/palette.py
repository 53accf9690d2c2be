"""The colours of all pages, by what they are for: light, or dark where the reader's settings ask for it."""

PALETTE = """
:root{color-scheme:light dark;--back:#fff;--page:#f6f8fa;--ink:#1f2328;--soft:#59636e;--line:#d1d9e0;--edge:#57606a;
--box:#fff;--store:#f0f4ff;--store-line:#8ea6d8;--bad:#cf222e;--warn:#9a6700;--note:#0969da;--bad-back:#ffebe9;
--warn-back:#fff8c5;--note-back:#ddf4ff;--pill:#dafbe1;--pill-line:#4ac26b;--pill-ink:#116329;--link:#0969da}
@media(prefers-color-scheme:dark){:root{--back:#0d1117;--page:#010409;--ink:#e6edf3;--soft:#9198a1;--line:#3d444d;
--edge:#8b949e;--box:#161b22;--store:#141d33;--store-line:#4a66a8;--bad:#f85149;--warn:#d29922;--note:#58a6ff;
--bad-back:#3c1618;--warn-back:#332701;--note-back:#0c2d5a;--pill:#0f2d1a;--pill-line:#2ea043;--pill-ink:#7ee787;
--link:#58a6ff}}
"""
