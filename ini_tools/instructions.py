"""Writes the page of instructions that lies in a client's kit, in the client's language; never shows a password."""

from html import escape

from transfer.client_ini import ClientIni
from transfer.language import Language

_STYLE = """
:root { color-scheme: light dark; }
body { font: 1.05rem/1.6 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1.5rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin-bottom: .25rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p.quiet { margin-top: 0; opacity: .75; }
ol { padding-left: 1.4rem; }
li { margin: .6rem 0; }
.note { border-left: .25rem solid #0d6efd; padding: .1rem 0 .1rem 1rem; }
"""


def page(ini: ClientIni, fiduciary: str, program: str) -> str:
    """Return the page as HTML; ``program`` is the name of the file to double-click."""
    language = Language(ini.language, "ini_tools")
    values = {"fiduciary": fiduciary, "dossier": ini.dossier, "name": ini.dossier_name, "program": program}

    def say(key: str) -> str:
        return escape(language.say(key, **values))

    on_windows = program.lower().endswith(".exe")
    steps = ["kit.unzip", "kit.start", *(["kit.smartscreen"] if on_windows else []), "kit.choose", "kit.send"]
    listed = "\n".join(f"<li>{say(key)}</li>" for key in steps)
    return f"""<!DOCTYPE html>
<html lang="{language.code}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{say("kit.title")}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>{say("kit.title")}</h1>
<p class="quiet">{say("kit.for_dossier")}</p>
<ol>
{listed}
</ol>
<h2>{say("kit.then")}</h2>
<p>{say(f"kit.after_{ini.after_upload.value}")}</p>
<h2>{say("kit.trouble")}</h2>
<p>{say("kit.code")}</p>
<p class="note">{say("kit.secret")}</p>
</body>
</html>
"""
