/** Names for screen readers, which Django's widgets leave out: of selects with completion, and of the signs for help. */

function addNames() {
  for (const sign of document.querySelectorAll(".help-tooltip[aria-label]")) sign.setAttribute("role", "img");
  for (const select of document.querySelectorAll("select.select2-hidden-accessible")) {
    const label = document.querySelector(`label[for="${select.id}"]`);
    if (!label) continue;
    label.id ||= `label_${select.id}`;
    for (const part of select.parentElement?.querySelectorAll(".select2-selection, .select2-selection__rendered") ?? [])
      part.setAttribute("aria-labelledby", `${label.id} select2-${select.id}-container`);
  }
}

// The widgets are made when the page has loaded.
if (document.readyState === "complete") addNames();
else addEventListener("load", () => setTimeout(addNames));
