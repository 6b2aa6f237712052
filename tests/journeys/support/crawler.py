"""A browser that opens every page, link and form that it finds, and checks each answer."""

# Long because a page's parser, its forms and the crawl make one browser, and share their types.

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import httpx

PATIENCE_SECONDS = 20
RUBBISH = "'\"<b>☃\0%()[{*" + "9" * 300
_ID = re.compile(r"/([0-9]+|[0-9a-f-]{36})/")
LINKS = {"a": "href", "link": "href", "script": "src", "img": "src"}
Fields = list[tuple[str, str]]


@dataclass
class Form:
    """A form with the values that it has when the page is opened."""

    action: str
    method: str
    fields: Fields = field(default_factory=list)
    actions: Fields = field(default_factory=list)
    """The actions of a list of the admin."""
    rows: Fields = field(default_factory=list)
    """The check boxes of a list of the admin."""
    has_button: bool = False

    @property
    def signature(self) -> tuple[str, ...]:
        """What makes it one of a kind: forms that differ in values only are submitted once."""
        names = () if self.method == "get" else sorted({name for name, _ in self.fields})
        return (_ID.sub("/id/", urlsplit(self.action).path), self.method, *names)

    def submissions(self) -> Iterable[Fields]:
        """Return its own values, and each of its actions with a row."""
        yield self.fields
        for each in self.actions:
            yield [*(pair for pair in self.fields if pair[0] != "action"), each, *self.rows[:1]]

    def rubbish(self) -> Fields:
        """Return its fields with values that none of them takes."""
        return [(name, value if name == "csrfmiddlewaretoken" else RUBBISH) for name, value in self.fields]


class Page(HTMLParser):
    """The links and forms of a page."""

    def __init__(self, url: str, text: str) -> None:
        super().__init__()
        self.url = url
        self._targets: set[str] = set()
        self.forms: list[Form] = []
        self._form: Form | None = None
        self._by_id: dict[str, Form] = {}
        self._select = ""
        self._textarea: tuple[Form, str] | None = None
        self.feed(text)
        self.links = sorted({urljoin(url, each).partition("#")[0] for each in self._targets})

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        target = has.get(LINKS.get(tag, ""), "")
        if target and not target.startswith(("#", "mailto:", "data:", "javascript:")):
            self._targets.add(target)
        if tag == "form":
            self._form = Form(urljoin(self.url, has.get("action", "")), has.get("method", "get").lower())
            self.forms.append(self._form)
            self._by_id[has.get("id", "")] = self._form
        form = self._by_id.get(has["form"]) if "form" in has else self._form
        if form is None:
            return
        form.has_button |= tag == "button" or (tag == "input" and has.get("type") in ("submit", "image"))
        name, value = has.get("name", ""), has.get("value", "")
        if tag == "input" and name and has.get("type") not in ("submit", "button", "image", "file"):
            if name == "_selected_action":
                form.rows.append((name, value))
            elif has.get("type") not in ("checkbox", "radio") or "checked" in has:
                form.fields.append((name, value))
        elif tag == "textarea" and name:
            self._textarea = (form, name)
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select == "action":
            form.actions += [("action", value)] if value else []
        elif tag == "option" and "selected" in has and self._select:
            form.fields.append((self._select, value))

    def handle_data(self, data: str) -> None:
        if self._textarea is not None:
            form, name = self._textarea
            form.fields.append((name, data))
            self._textarea = None

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""
        elif tag == "textarea" and self._textarea is not None:
            self.handle_data("")


@dataclass
class Crawl:
    """One role's way through all pages. `faults` has what was wrong, in a line each."""

    client: httpx.Client
    canaries: set[str] = field(default_factory=set)
    """Texts that this role must never receive."""
    rows_of_a_kind: int = 1
    """Pages that are opened of those that differ in the id of their row only."""
    values_of_a_kind: int = 1
    """Links that are followed of those that differ in the values of their query only."""
    within: str = "/"
    """The beginning of the addresses that are followed."""
    found: set[str] = field(default_factory=set)
    """The addresses of all links, also of those that are not followed."""
    faults: list[str] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)
    figures: Counter[str] = field(default_factory=Counter)

    def follow(self, *starts: str) -> list[Form]:
        """Open all that is linked, breadth first; return the forms, each kind once.

        A link with a query is followed from pages without one: filters combine without end.
        """
        waiting, kinds = deque(starts), Counter[tuple[str, ...]]()
        forms: dict[tuple[str, ...], Form] = {}
        while waiting:
            url = _without_way_back(waiting.popleft())
            kind = kind_of(url)
            most = self.values_of_a_kind if "?" in url else self.rows_of_a_kind
            if url in self.seen or kinds[kind] >= most:
                continue
            kinds[kind] += 1
            answer = self.get(url)
            self.seen[url] = answer.status_code if answer else 0
            if answer is None or not _is_html(answer):
                continue
            self.figures["pages"] += 1
            page = Page(str(answer.url), answer.text)
            for link in page.links:
                local = link.removeprefix(str(self.client.base_url).rstrip("/"))
                if local.startswith(self.within):
                    self.figures["links"] += 1
                    if "?" not in local or "?" not in url or "_changelist_filters" in local:
                        waiting.append(local)
                        self.found.add(_without_way_back(local))
            for form in page.forms:
                forms.setdefault(form.signature, form)
        return [form for form in forms.values() if form.has_button]

    def submit(self, forms: Iterable[Form], sent_rubbish: set[tuple[str, ...]]) -> None:
        """Submit each form, and the forms of the answers too.

        Each kind is also sent with rubbish, if it is not one of `sent_rubbish`, to which it is added.
        """
        waiting = deque(sorted(forms, key=_ends_session))
        kinds = {form.signature for form in waiting}
        while waiting:
            form = waiting.popleft()
            self.figures["forms"] += 1
            submissions = list(form.submissions())
            if form.signature not in sent_rubbish:
                sent_rubbish.add(form.signature)
                submissions.append(form.rubbish())
            for fields in submissions:
                answer = self.send(form, fields)
                # The answers to GET have the forms of pages that have links.
                if (
                    answer is None
                    or form.method == "get"
                    or not _is_html(answer)
                    or answer.status_code >= 400
                ):
                    continue
                for each in Page(str(answer.url), answer.text).forms:
                    if each.has_button and each.signature not in kinds:
                        kinds.add(each.signature)
                        waiting.append(each)

    def send(self, form: Form, fields: Fields) -> httpx.Response | None:
        url = form.action.removeprefix(str(self.client.base_url).rstrip("/"))
        # Forms outside the admin are sent by scripts.
        may_refuse = RUBBISH in dict(fields).values() or not url.startswith("/admin/")
        if form.method == "get":
            return self.get(f"{url.partition('?')[0]}?{urlencode(fields)}", refusable=may_refuse)
        # As it stands in the page that a browser has open: the token of the session.
        token = self.client.cookies.get("csrftoken", "")
        body = {name: [v for n, v in fields if n == name] for name, _ in fields}
        return self.request("POST", url, body=body | {"csrfmiddlewaretoken": [token]}, refusable=may_refuse)

    def get(self, url: str, *, refusable: bool = False) -> httpx.Response | None:
        return self.request("GET", url, refusable=refusable)

    def request(
        self,
        method: str,
        url: str,
        *,
        body: dict[str, list[str]] | None = None,
        refusable: bool = False,
    ) -> httpx.Response | None:
        """Send a request, follow its redirects to pages that were not seen, and check each answer.

        `refusable` says that the request may be refused: it was not made by a link.
        """
        what = f"{method} {url[:200]!r}"
        headers = {"Referer": str(self.client.base_url)}
        try:
            answer = self.client.request(method, url, data=body, headers=headers)
            while (
                answer.next_request is not None and answer.next_request.url.raw_path.decode() not in self.seen
            ):
                answer = self.client.send(answer.next_request)
        except httpx.HTTPError as error:
            self.faults.append(f"{what}: {type(error).__name__}: {error}")
            return None
        self.figures["answers"] += 1
        if answer.status_code >= (500 if refusable else 400):
            self.faults.append(f"{what}: {answer.status_code}")
        # An answer may repeat what was in the request.
        text = answer.text.replace(url, "")
        for canary in sorted(self.canaries):
            if canary in text and canary not in url:
                self.faults.append(f"{what}: shows {canary!r}")
        return answer


def _is_html(answer: httpx.Response) -> bool:
    return answer.headers.get("Content-Type", "").startswith("text/html")


def _ends_session(form: Form) -> bool:
    path = urlsplit(form.action).path
    return "logout" in path or "password" in path


def is_harmful(form: Form) -> bool:
    """Return whether a form takes away what another one may need: it deletes, logs out or changes a password."""
    return _ends_session(form) or urlsplit(form.action).path.endswith("/delete/")


def kind_of(url: str) -> tuple[str, ...]:
    """Return what addresses have in common that differ in ids and in the values of their query only."""
    path, _, query = url.partition("?")
    return (_ID.sub("/id/", path), *sorted(name for name, _ in parse_qsl(query, keep_blank_values=True)))


def _without_way_back(url: str) -> str:
    """Remove the filters of the list to which a page leads back."""
    path, _, query = url.partition("?")
    kept = [each for each in parse_qsl(query, keep_blank_values=True) if each[0] != "_changelist_filters"]
    return f"{path}?{urlencode(kept)}" if kept else path
