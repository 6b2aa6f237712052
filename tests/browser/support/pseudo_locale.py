"""A language made of the texts themselves: in brackets, with accents and 40 % longer.

What a page shows without brackets was not translated, and what does not fit would not in German either.
"""

from __future__ import annotations

import re
from pathlib import Path

import django

from voipbin_ws.languages.catalogues import Catalogue, mo_bytes, read_po, script_text
from voipbin_ws.languages.sources import Text, texts_of_scripts, texts_of_server

CODE = "en-XA"
LONGER = 0.4

_ACCENTS = str.maketrans("aceinosuyACEINOSUY", "áçéíñóšúýÁÇÉÍÑÓŠÚÝ")
_MARKUP = re.compile(r"(<[^>]*>)")
_PLACES = re.compile(r"(\{\w*\}|%\(\w+\)[sd]|%[sd%]|&\w+;)")

# The texts of a page without brackets: of elements that hold no data, and of attributes that are read aloud.
UNTRANSLATED = """(more) => {
  const DATA = `bdi, time, code, pre, kbd, script, style, template, [dir=auto], .number, html [lang]${more}`;
  const isText = (text) => /\\p{L}{3,}/u.test(text) && !/[\\[\\]]/.test(text);
  const isShown = (element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest(DATA);
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { parentElement: parent, data } = walker.currentNode;
    if (isText(data) && isShown(parent)) found.push(data.trim());
  }
  for (const name of ["aria-label", "title", "placeholder", "alt"]) {
    for (const element of document.querySelectorAll(`[${name}]`)) {
      const text = element.getAttribute(name);
      if (isText(text) && isShown(element)) found.push(`${name}=${text}`);
    }
  }
  return [...new Set([...found, ...(isText(document.title) ? [`title: ${document.title}`] : [])])];
}"""


def pseudo(text: str) -> str:
    """Return a text as the language has it; places and markup stay."""
    return "".join(
        part if _MARKUP.fullmatch(part) or not part.strip() else _bracketed(part)
        for part in _MARKUP.split(text)
    )


def write_pseudo_locale(folder: Path) -> None:
    """Write the catalogues of the gateway's texts, and of Django's, into a folder."""
    texts = dict.fromkeys(texts_of_server())
    for part in ("conf", "contrib/admin", "contrib/auth", "contrib/humanize"):
        of_django = Path(django.__file__).parent / part / "locale/en/LC_MESSAGES/django.po"
        texts.update(dict.fromkeys(read_po(of_django.read_text())))
    messages = folder / "locale" / "en_XA" / "LC_MESSAGES"
    messages.mkdir(parents=True)
    (messages / "django.mo").write_bytes(mo_bytes("nplurals=2; plural=(n != 1);", _catalogue(list(texts))))
    scripts = folder / "scripts"
    scripts.mkdir()
    made = script_text(("one", "other"), _catalogue(list(texts_of_scripts())))
    (scripts / f"{CODE.lower()}.js").write_text(made)


def _catalogue(texts: list[Text]) -> Catalogue:
    return {text: [pseudo(each) for each in (text.text, text.plural) if each] for text in texts}


def _bracketed(text: str) -> str:
    before, core, after = re.fullmatch(r"(\s*)(.*?)(\s*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
    accented = "".join(
        each if _PLACES.fullmatch(each) else each.translate(_ACCENTS) for each in _PLACES.split(core)
    )
    longer = "".join(" " if count % 8 == 0 else "ö" for count in range(round(len(core) * LONGER)))
    return f"{before}[{accented}{longer.rstrip()}]{after}"
