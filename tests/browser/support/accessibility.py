"""What axe-core finds in a page."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from playwright.sync_api import Page

_AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()

# Only of violations axe makes a selector for each element, which is half of its work.
_RUN = """(options) => axe.run({ resultTypes: ["violations"], ...options }).then(({ violations }) => (
  violations.map(({ id, help, nodes }) => [id, help, nodes.map(({ html }) => html.slice(0, 200))])
))"""

# The theme follows the scheme a moment later, and the contrast during a transition does not count.
_IS_SHOWN = """(scheme) => {
  const theme = document.documentElement.dataset.theme ?? "auto";
  return (!scheme || (matchMedia(`(prefers-color-scheme: ${scheme})`).matches && ["auto", scheme].includes(theme)))
    && document.getAnimations().every(({ effect }) => effect.getTiming().iterations > 1);
}"""

_RULES_OF_COLOURS = ["color-contrast", "link-in-text-block"]


def violations(page: Page, scheme: str = "", **options: Any) -> list[Any]:
    """Return the violations that axe-core finds with these options, with their elements."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_AXE)
    page.wait_for_function(_IS_SHOWN, arg=scheme)
    found: list[Any] = page.evaluate(_RUN, options)
    return found


def violations_light_and_dark(page: Page, **options: Any) -> list[Any]:
    """Return the violations in the light scheme, and those of the colours in the dark one; it stays light."""
    page.emulate_media(color_scheme="light")
    found = violations(page, "light", **options)
    page.emulate_media(color_scheme="dark")
    found += violations(page, "dark", runOnly=_RULES_OF_COLOURS)
    page.emulate_media(color_scheme="light")
    return found
