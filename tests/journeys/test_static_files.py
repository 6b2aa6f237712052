"""The pages' files on both servers: compressed, and kept by browsers for as long as they stay the same."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.support.gateway import Gateway
from tests.support.gateways import Gateways

SCRIPT = "voipbin_ws/dashboard/main.js"
A_YEAR = "public, max-age=31536000, immutable"


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def pages(request: pytest.FixtureRequest, gateway_of_file: Gateways) -> Iterator[httpx.Client]:
    gateway: Gateway = gateway_of_file(request.param)
    with httpx.Client(base_url=gateway.url) as client:
        yield client


def address(pages: httpx.Client) -> str:
    """Return the address of the script, as the page has it."""
    (found,) = re.findall(rf'"(/static/[^"]*{SCRIPT})"', pages.get("/").text)
    return str(found)


def test_a_file_that_a_page_names_is_compressed_and_kept_for_a_year(pages: httpx.Client) -> None:
    compressed = pages.get(address(pages))
    plain = pages.get(address(pages), headers={"Accept-Encoding": "identity"})
    assert compressed.headers["Content-Encoding"] == "gzip"
    assert int(compressed.headers["Content-Length"]) < len(plain.content) / 2
    assert compressed.content == plain.content
    for answer in (compressed, plain):
        assert answer.headers["Cache-Control"] == A_YEAR
        assert answer.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize("accepted", ["identity", "br", "gzip;q=0", "gzip; q=0.0, br"])
def test_a_client_that_does_not_accept_gzip_gets_the_file_as_it_is(
    pages: httpx.Client, accepted: str
) -> None:
    assert "Content-Encoding" not in pages.get(address(pages), headers={"Accept-Encoding": accepted}).headers


@pytest.mark.parametrize("version", ["", "v-0123456789ab/"])
def test_a_file_of_no_or_of_another_version_is_not_kept(pages: httpx.Client, version: str) -> None:
    answer = pages.get(f"/static/{version}{SCRIPT}")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "max-age=60, public")


def test_a_script_of_the_pages_comes_with_all_that_it_imports(pages: httpx.Client) -> None:
    assert 'from "' in pages.get(f"/static/{SCRIPT}").text
    whole = pages.get(address(pages), headers={"Range": "bytes=0-9"})
    assert whole.status_code == 200
    assert 'from "' not in whole.text
    assert "class EventClient" in whole.text


def test_a_part_of_a_file_and_one_that_did_not_change_are_as_before(pages: httpx.Client) -> None:
    part = pages.get(f"/static/{SCRIPT}", headers={"Range": "bytes=0-9"})
    assert (part.status_code, len(part.content), part.headers.get("Content-Encoding")) == (206, 10, None)
    known = {"If-None-Match": pages.get(address(pages)).headers["ETag"]}
    assert pages.get(address(pages), headers=known).status_code == 304


@pytest.mark.parametrize(
    "path", ["nothing.js", "v-0123456789ab/nothing.js", "v-0123456789ab/../../manage.py"]
)
def test_what_is_no_file_is_not_found(pages: httpx.Client, path: str) -> None:
    assert pages.get(f"/static/{path}").status_code == 404


def test_a_large_response_is_compressed(pages: httpx.Client) -> None:
    assert pages.get("/v1.0/openapi.json").headers["Content-Encoding"] == "gzip"
