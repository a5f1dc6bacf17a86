"""What every page of the console asks for: who is there, a form that is theirs, and the page around it.

A page that changes something takes a form by POST with a token that only the session's
own pages know, and answers with a redirect to what shows the change. Whoever is not
signed in is sent to sign in, and comes back to where they were.
"""

import hmac
import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from kpass_vc.actions.sign_in import SignedIn, sha256, who_is_there
from kpass_vc.authz import Permission
from kpass_vc.edge import Env, RawBody, Turn
from kpass_vc.environment import Environment
from kpass_vc.errors import (
    Conflict,
    DefinitionIncomplete,
    FieldError,
    Forbidden,
    InvalidInput,
    KpassError,
    Malformed,
    Unauthenticated,
)
from kpass_vc.language import LANGUAGES, Language, has, say
from kpass_vc.pages.form import read_multipart
from kpass_vc.pages.render import SECURITY_HEADERS, chosen, html, places, render

COOKIE: Final = "__Host-kpass"
"""Sent back over https and to this host alone (RFC 6265bis section 4.1.3.2); a browser takes localhost for https."""
LANGUAGE_COOKIE: Final = "__Host-kpass-language"
CSRF: Final = "csrf"
_MOST_FIELDS: Final = 2000
_ANYWHERE: Final = "console.label"

HEADERS: Final[Mapping[str, str]] = {
    **SECURITY_HEADERS,
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; "
        "img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "private, no-store",
}
SECTIONS: Final[Mapping[str, frozenset[Permission]]] = {
    "definitions": frozenset({Permission.DEFINITIONS_READ}),
    "issue": frozenset({Permission.CREDENTIALS_ISSUE}),
    "credentials": frozenset({Permission.CREDENTIALS_READ}),
    "delegations": frozenset({Permission.DELEGATIONS_WRITE, Permission.CREDENTIALS_ISSUE}),
    "statistics": frozenset({Permission.STATISTICS_READ}),
    "people": frozenset({Permission.PEOPLE_WRITE}),
    "organization": frozenset({Permission.PEOPLE_WRITE}),
    "log": frozenset({Permission.AUDIT_READ}),
}
"""The sections of the console, and who sees them: whoever may do one of these things."""


class SignInFirst(Exception):
    """Nobody is signed in; `to` is where to go from here."""

    def __init__(self, to: str) -> None:
        super().__init__(to)
        self.to = to


@dataclass(frozen=True)
class Faults:
    """What is wrong with a form: by field, and what belongs to none."""

    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By the field's name in the form."""
    general: tuple[str, ...] = ()
    status: int = 200

    @property
    def every(self) -> list[tuple[str, str]]:
        """Every sentence with the name of its field, the general ones first, with none."""
        found = [("", sentence) for sentence in self.general]
        return found + [(name, each) for name, all_of in self.fields.items() for each in all_of]


class Form:
    """What was filled in: texts by name, and what was chosen of several."""

    def __init__(self, pairs: list[tuple[str, str]], files: Mapping[str, bytes]) -> None:
        self._pairs = pairs
        self.files = files

    def text(self, name: str) -> str:
        """What was written in a field, without the spaces around it; empty if nothing was."""
        return next((text for each, text in self._pairs if each == name), "")

    def every(self, name: str) -> list[str]:
        """All that was chosen under a name, in order, without what was left empty."""
        return [text for each, text in self._pairs if each == name and text]

    def given(self, *names: str) -> dict[str, str]:
        """The fields of these names in which something was written."""
        return {name: self.text(name) for name in names if self.text(name)}

    def texts(self) -> dict[str, str]:
        """The whole form by name, the first of each: to show it again as it was filled in."""
        found: dict[str, str] = {}
        for name, text in self._pairs:
            found.setdefault(name, text)
        return found


@dataclass(frozen=True)
class Desk:
    """Where somebody who is signed in sits: who they are, and how pages are made for them."""

    env: Environment
    who: SignedIn
    language: Language
    csrf: str
    path: str
    """The path of this page, from /console on."""
    done: str
    """The key of what was just done, to be told on this page; empty for nothing."""
    asked: str | None = None
    """The language that was asked for in the address, to be kept for the pages that come after."""

    def may(self, permission: Permission) -> bool:
        """Whether they have the permission, where they act now."""
        return permission in self.who.actor.permissions

    def say(self, key: str, **values: object) -> str:
        """The sentence of the console under a key, in their language."""
        return say(self.language, f"console.{key}", **values)

    def page(
        self, template: str, *, here: str = "", faults: Faults | None = None, **values: object
    ) -> HTMLResponse:
        """A page of the console, made of pages/templates/console/…; `here` is its section.

        With `faults`, the page of a form that was refused, which tells what is wrong with it.
        """
        found = faults or Faults()
        shown: dict[str, object] = {
            "who": self.who,
            "csrf": self.csrf,
            "sections": self.sections(),
            "here": here,
            "faults": found,
            "may": self.may,
            "Permission": Permission,
            "elsewhere": {each: f"{self.address(self.path)}?language={each}" for each in LANGUAGES},
            **frame(self.env),
            "done": self.done,
            **values,
        }
        page = render(f"console/{template}", self.language, **shown)
        reply = dressed(page, self.language, status=found.status)
        keep_language(reply, self.asked)
        return reply

    def sections(self) -> list[str]:
        """The sections that they see."""
        opens = self.who.actor.permissions if self.who.organization is not None else frozenset()
        return [name for name, needed in SECTIONS.items() if needed & opens]

    def address(self, place: str) -> str:
        """The address of a page of the console: `place` begins with /console."""
        return f"{self.env.addresses.base}{place}"

    def to(self, place: str, done: str = "", **query: str) -> RedirectResponse:
        """On to a page of the console, which tells that something is done (`console.done.<done>`)."""
        asked = {**query, **({"done": done} if done else {})}
        address = self.env.addresses.console(place)
        head, hash_sign, anchor = address.partition("#")
        if asked:
            head += ("&" if "?" in head else "?") + urlencode(asked)
        return RedirectResponse(head + hash_sign + anchor, status_code=303, headers=dict(HEADERS))

    def require_fresh(self) -> None:
        """Return if they have proved a moment ago who they are; else they are sent to do so, and come back here."""
        if not self.who.is_fresh:
            raise SignInFirst(self.env.addresses.console(f"/prove?next={quote(self.path)}"))


def frame(env: Environment) -> dict[str, str]:
    """What the console's layout links to, and the provider that people sign in with, if there is one."""
    return {
        **places(env),
        "console": env.addresses.console(),
        "done": "",
        "provider": env.oidc.name if env.oidc is not None else "",
    }


def dressed(page: str, language: Language, *, status: int = 200) -> HTMLResponse:
    """A page of the console with its headers: kept by nobody, and no script but our own files."""
    reply = html(page, language, status=status)
    reply.headers.update(HEADERS)
    return reply


def dressed_file(body: bytes, media_type: str, *, name: str) -> Response:
    """A file of the console, to be saved under a name in ASCII; kept by nobody."""
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, media_type=media_type, headers=headers)


def spoken(request: Request) -> Language:
    """The language asked for in the address, else the one that was last chosen, else the browser's."""
    asked = request.query_params.get("language") or request.cookies.get(LANGUAGE_COOKIE)
    return chosen(asked, request.headers.get("Accept-Language"))


def keep_language(response: Response, asked: str | None) -> None:
    """Keep the language that was asked for in the address, for the pages that come after."""
    if asked in LANGUAGES:
        set_cookie(response, LANGUAGE_COOKIE, str(asked))


def set_cookie(response: Response, name: str, value: str) -> None:
    """A cookie of this host alone, which no script reads, and which goes when the browser is closed."""
    response.set_cookie(name, value, path="/", secure=True, httponly=True, samesite="lax")


def drop_cookie(response: Response, name: str) -> None:
    """The browser forgets the cookie."""
    response.delete_cookie(name, path="/", secure=True, httponly=True, samesite="lax")


def somebody(request: Request, env: Env, _: Turn) -> Desk:
    """Who is there; SignInFirst if nobody is."""
    secret = request.cookies.get(COOKIE, "")
    place = request.scope["path"].removeprefix(env.addresses.path)
    try:
        who = who_is_there(env, secret)
    except Unauthenticated as error:
        to = place if request.method in {"GET", "HEAD"} else "/console"
        raise SignInFirst(env.addresses.console(f"/sign-in?next={quote(to)}")) from error
    done = request.query_params.get("done", "")
    return Desk(
        env=env,
        who=who,
        language=spoken(request),
        csrf=csrf_of(secret),
        path=place,
        done=done if has(f"console.done.{done}") else "",
        asked=request.query_params.get("language"),
    )


def at_work(desk: Annotated[Desk, Depends(somebody)]) -> Desk:
    """Who is there and acts for an organisation; Forbidden for who has no role in any."""
    if desk.who.organization is None:
        raise Forbidden("no_role")
    return desk


Somebody = Annotated[Desk, Depends(somebody)]
"""Whoever is signed in."""
AtWork = Annotated[Desk, Depends(at_work)]
"""Whoever is signed in and acts for an organisation."""


async def anybodys_form(request: Request, env: Env, body: RawBody) -> Form:
    """A form of a page that needs no session; Malformed if it is broken, Forbidden if it comes from elsewhere."""
    require_own_origin(request, env)
    return read_form(body, request.headers.get("Content-Type", ""))


async def posted(request: Request, env: Env, desk: Somebody, body: RawBody) -> Form:
    """The form of somebody who is signed in; Forbidden if it is not of a page of their own session."""
    require_own_origin(request, env)
    form = read_form(body, request.headers.get("Content-Type", ""))
    require_csrf(desk, form)
    return form


def posted_with(*names: str) -> Callable[..., Coroutine[Any, Any, Form]]:
    """A dependency: a form with files in it (multipart), of fields of these names only, each once."""

    async def read(request: Request, env: Env, desk: Somebody, body: RawBody) -> Form:
        require_own_origin(request, env)
        found = read_multipart(body, request.headers.get("Content-Type", ""), {CSRF, *names})
        texts = [
            (name, content.decode("utf-8", "replace").replace("\r\n", "\n").strip())
            for name, content in found.items()
            if not name.startswith("file")
        ]
        if any("\0" in text for _, text in texts):
            raise Malformed("form")
        form = Form(texts, {name: each for name, each in found.items() if name.startswith("file")})
        require_csrf(desk, form)
        return form

    return read


AnybodysForm = Annotated[Form, Depends(anybodys_form)]
Posted = Annotated[Form, Depends(posted)]
ANYBODYS: Final = Depends(anybodys_form)
OWN: Final = Depends(posted)
"""For a form in which nothing is filled in: that it is of a page of the session is looked at all the same."""


def read_form(body: bytes, content_type: str) -> Form:
    """A form of texts alone (application/x-www-form-urlencoded); Malformed if it is none."""
    if content_type.partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise Malformed("form")
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            max_num_fields=_MOST_FIELDS,
            errors="strict",
        )
    except ValueError as error:
        raise Malformed("form") from error
    if any("\0" in text for pair in pairs for text in pair):
        raise Malformed("form")
    return Form([(name, text.replace("\r\n", "\n").strip()) for name, text in pairs], {})


def csrf_of(secret: str) -> str:
    """The token of the forms of a session: made of its secret, so that nobody else can make it."""
    return sha256(f"csrf {secret}")[:43]


def require_csrf(desk: Desk, form: Form) -> None:
    """Return if the form is of a page of this session, else Forbidden."""
    if not hmac.compare_digest(form.text(CSRF).encode(), desk.csrf.encode()):
        raise Forbidden("csrf")


def require_own_origin(request: Request, env: Environment) -> None:
    """Return if a form comes from our own pages, as far as the browser tells, else Forbidden."""
    origin = request.headers.get("Origin")
    if origin is not None and origin != env.addresses.origin:
        raise Forbidden("csrf")


def next_place(asked: str) -> str:
    """Where to go after signing in: a path of the console, whatever was asked."""
    try:
        parts = urlsplit(asked)
    except ValueError:
        return ""
    is_ours = not parts.scheme and not parts.netloc and "\\" not in asked and "//" not in asked
    path = parts.path if is_ours else ""
    ends = path == "/console" or path.startswith("/console/")
    return path.removeprefix("/console") if ends and ".." not in path else ""


def faults_of(
    error: KpassError, language: Language, names: Mapping[str, str] | None = None
) -> Faults:
    """What is wrong with a form, in words of the form.

    `names` gives the name in the form for a JSON pointer of the order, where it is not the pointer with
    underscores: /holder/name is holder_name.
    """
    is_conflict = isinstance(error, Conflict) and not isinstance(error, DefinitionIncomplete)
    status = 409 if is_conflict else 403 if isinstance(error, Forbidden) else 422
    broken = (
        error.fields
        if isinstance(error, InvalidInput)
        else error.gaps
        if isinstance(error, DefinitionIncomplete)
        else ()
    )
    if not broken:
        place = error.data.get("field")
        sentence = error.sentence(language)
        if isinstance(place, str) and place:
            return Faults({name_of(place, names): (sentence,)}, (), status)
        return Faults({}, (sentence,), status)
    found: dict[str, list[str]] = {}
    for each in broken:
        found.setdefault(name_of(each.field, names), []).append(in_words(each, language))
    return Faults(
        {name: tuple(dict.fromkeys(all_of)) for name, all_of in found.items()}, (), status
    )


def in_words(error: FieldError, language: Language) -> str:
    """What is wrong with a field, by what the field is called on the page."""
    own = f"console.rule.{error.rule}"
    key = own if has(own) else f"rule.{error.rule}"
    said = error.data.get(language)
    data = {name: value for name, value in error.data.items() if name not in {"field", "said"}}
    fields = data.get("fields")
    if isinstance(fields, str):
        labels = dict.fromkeys(label_of(each, language) for each in fields.split(", "))
        data["fields"] = ", ".join(labels)
    return say(language, key, field=label_of(error.field, language), said=said, **data)


def label_of(pointer: str, language: Language) -> str:
    """What a field is called: `console.label.` and its pointer; with a number where it is one of several."""
    parts = pointer.strip("/").split("/")
    words = [part for part in parts if not part.isdigit()]
    numbers = [int(part) + 1 for part in parts if part.isdigit()]
    for start in range(len(words)):
        key = f"{_ANYWHERE}.{'_'.join(words[start:])}"
        if has(key):
            label = say(language, key)
            return f"{label} {numbers[-1]}" if numbers else label
    if len(words) > 1:
        return label_of("/".join(parts[:-1]), language)
    return pointer


def name_of(pointer: str, names: Mapping[str, str] | None = None) -> str:
    """What a field is called in the form; one of several in a field has the field's name."""
    known = (names or {}).get(pointer)
    return known or re.sub(r"/\d+\Z", "", pointer).strip("/").replace("/", "_")


def install(app: FastAPI) -> None:
    """Send whoever must sign in first there."""

    def _go(_: Request, going: Exception) -> Response:
        to = going.to if isinstance(going, SignInFirst) else ""
        return RedirectResponse(to, status_code=303, headers={"Cache-Control": "no-store"})

    app.add_exception_handler(SignInFirst, _go)
