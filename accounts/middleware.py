"""For every page: note that the person is active, and choose their language."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import translation

from accounts.login.sessions import note_activity
from accounts.models import User


def presence_of_the_person(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """End a session that is too old, and note that the person is active."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            note_activity(request)
        return get_response(request)

    return middleware


def language_of_the_person(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Use the language of the account, else that of the footer, else that of the browser."""

    def middleware(request: HttpRequest) -> HttpResponse:
        person = request.user
        chosen = person.language if isinstance(person, User) else ""
        language = chosen or translation.get_language_from_request(request)
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = get_response(request)
        response.headers.setdefault("Content-Language", language)
        response.headers["Vary"] = "Accept-Language, Cookie"
        return response

    return middleware
