/** A button that copies each program, and the addresses of this gateway in the text. */

const COPIED_MS = 2000;

for (const code of document.querySelectorAll(".card pre code")) {
  const button = document.createElement("button");
  button.className = "quiet copy";
  button.type = "button";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(code.textContent ?? "");
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), COPIED_MS);
  });
  code.parentElement?.before(button);
}
for (const place of document.querySelectorAll(".api-url")) place.textContent = location.origin;
for (const place of document.querySelectorAll(".websocket-url")) place.textContent = `${location.origin.replace(/^http/, "ws")}/v1.0/ws`;
