// Written by manage.py write_catalogues.
Object.assign(globalThis, { translatedTexts: {
"Page": "Página",
"Command": "Comando",
"Nothing has this name.": "Nada tiene ese nombre."
} });
