// Written by manage.py write_catalogues.
Object.assign(globalThis, { translatedTexts: {
"Page": "Seite",
"Command": "Befehl",
"Nothing has this name.": "Nichts hat diesen Namen."
} });
