"""The language of the person: her own choice, then the switch in the footer, then the browser."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import translation

from accounts.models import User


def language_of_the_person(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Activate the language for the request and say which one it was."""

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
