"""What exactly is wrong with a file, in the reader's language.

A refusal keeps its detail in English with the file, for operators and for replays. An office reads
it in its own language: each sentence that a reader or the ingest can say stands here once, with
placeholders for what it found in the file.
"""

from __future__ import annotations

import re
from functools import cache

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

# The first sentence that fits counts, so the more exact ones stand first.
SENTENCES = [
    _("the file has no lines"),
    _("the file ends before the trailer"),
    _("lines behind the trailer"),
    _("record %(found)s where the header belongs"),
    _("record %(found)s where the old balance belongs"),
    _("record %(found)s where the trailer belongs"),
    _("record %(found)s where no such record belongs"),
    _("record %(found)s is not known"),
    _("record %(found)s names no movement of the statement"),
    _("a second record %(found)s"),
    _("%(opening)s and %(moved)s do not make %(closing)s"),
    _("version %(version)s: only version 2 is read"),
    _("the new balance is missing"),
    _("the day is missing"),
    _("another account than %(account)s in %(currency)s"),
    _("the trailer counts %(named)s records, the statement has %(counted)s"),
    _("debit of %(stated)s, but the movements make %(total)s"),
    _("credit of %(stated)s, but the movements make %(total)s"),
    _("the details of movement %(number)s make %(total)s, not %(amount)s"),
    _("the file ends after %(count)s characters of its last line"),
    _("%(count)s characters, not %(width)s"),
    _("%(text)s is no number"),
    _("%(text)s is no amount"),
    _("%(text)s is no day"),
    _("%(text)s is no account"),
    _("%(text)s is no currency"),
    _("%(text)s is neither 0 nor 1"),
    _("%(text)s in %(element)s is no amount"),
    _("%(text)s in %(element)s is no day"),
    _("%(element)s is missing in %(parent)s"),
    _("%(element)s is there twice in %(parent)s"),
    _("%(count)s times %(element)s in %(parent)s, not once"),
    _("%(parent)s does not hold one %(element)s or more"),
    _("%(element)s is empty or holds elements"),
    _("version %(version)s: only version 1 is read"),
    _("byte %(byte)s is no letter"),
    _("a doctype"),
    _("entity %(name)s"),
    _("more than %(count)s elements"),
    _("elements are nested deeper than %(count)s"),
    _("not read within %(seconds)s seconds"),
    _("the document ends too early"),
    _("charset %(charset)s is not taken"),
    _("not the %(charset)s it should be"),
    _("total of %(total)s, the expenses make %(spent)s"),
    _("debit of %(debit)s, credit of %(credit)s"),
    _("debit and credit on one line"),
    _("root %(element)s"),
    _("neither CODA nor XML"),
    _("%(name)s: neither CODA nor XML"),
    _("an envelope with %(count)s invoices"),
    _("more than %(count)s attachments"),
    _("%(amount)s has more than two decimals"),
    _("an amount in %(currency)s, the document is in %(usual)s"),
    _("%(text)s is neither true nor false"),
    _("no group of VAT"),
    _("VAT of %(vat)s on %(taxable)s at %(rate)s %%"),
    _("VAT is on %(taxed)s, the net amount is %(net)s"),
    _("the lines: %(stated)s stands there, %(made)s is what it makes"),
    _("the allowances: %(stated)s stands there, %(made)s is what it makes"),
    _("the charges: %(stated)s stands there, %(made)s is what it makes"),
    _("the net amount: %(stated)s stands there, %(made)s is what it makes"),
    _("the VAT: %(stated)s stands there, %(made)s is what it makes"),
    _("the gross amount: %(stated)s stands there, %(made)s is what it makes"),
    _("the amount to pay: %(stated)s stands there, %(made)s is what it makes"),
    _("an amount has more than fifteen digits"),
    _("a name or a reference is too long"),
    _("%(account)s cannot be registered"),
    _("the file names no company by its number"),
    _("no active company has %(numbers)s"),
    _("no active company has the account %(account)s"),
    _("the portal could not handle it: %(error)s"),
    _("a PDF without a file beside it that says what it is"),
    _("the PDF beside the file is no PDF"),
    _("the file beside it has several documents"),
    _("its file waits as well"),
    _("%(size)s bytes are more than %(most)s"),
    _("more than %(most)s bytes"),
    _("a ZIP without its end"),
    _("a ZIP of more than %(count)s files"),
    _("unpacks to more than %(most)s bytes"),
    _("a broken ZIP: its list of contents is damaged"),
    _("a broken ZIP: its files overlap"),
    _("a broken ZIP: %(count)s files cannot be unpacked"),
    _("a broken ZIP: %(error)s"),
    _("ZIPs inside each other: more than %(depth)s, or of %(count)s files"),
    _("a ZIP without files"),
    _("a file of an office program"),
    _("neither debit nor credit on a line"),
    _("no %(element)s"),
    _("%(text)s is no %(element)s"),
]
POSITION = re.compile(r"(?P<detail>.+) \(position (?P<place>\d+)\)", re.DOTALL)
PLACEHOLDER = re.compile(r"%\\\((\w+)\\\)s")


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    found = []
    for sentence in SENTENCES:
        pattern = PLACEHOLDER.sub(r"(?P<\1>.+)", re.escape(sentence).replace("%%", "%"))
        found.append((sentence, re.compile(pattern, re.DOTALL)))
    return found


def in_reader_language(detail: str) -> str | None:
    """The detail of a refusal as the reader's language says it; None for words of a library."""
    if at := POSITION.fullmatch(detail):
        inner = in_reader_language(at["detail"])
        return inner and gettext("%(detail)s (position %(place)s)") % {
            "detail": inner,
            "place": at["place"],
        }
    for sentence, pattern in _patterns():
        if found := pattern.fullmatch(detail):
            return gettext(sentence) % found.groupdict()
    return None
