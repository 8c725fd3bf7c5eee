"""Cells that a spreadsheet has changed: a size read as a date, a style read as a number. Pure.

A spreadsheet turns `10.5` into the tenth of May, `21900E22` into `2.19E+26` and `TRUE` into itself. What was typed is
lost, so such a cell is refused and its owner told why: the next look at it would be at another shoe.
"""

import re
from typing import Final

TEXT_COLUMN: Final = "a spreadsheet has changed this cell; format the column as text and type the value again"

# Months as spreadsheets abbreviate and name them: English, German, French, Spanish, Italian, Portuguese, Dutch, Polish,
# Swedish, Danish, Norwegian, Finnish, Czech, Turkish, Russian. Accents are taken off before they are compared.
_MONTHS: Final = """
jan feb mar apr may jun jul aug sep sept oct nov dec
january february march april june july august september october november december
janner januar februar marz mrz mai juni juli okt oktober dez dezember
janv janvier fev fevr fevrier mars avr avril juin juil juillet aout octobre novembre decembre septembre
ene enero febrero marzo abr abril mayo junio julio ago agosto septiembre octubre noviembre dic diciembre
gen gennaio febbraio aprile mag maggio giu giugno lug luglio set settembre ott ottobre dicembre
janeiro fevereiro marco maio junho julho setembro out outubro novembro dez dezembro
januari februari mrt maart mei augustus oktober
sty styczen lut luty marzec kwi kwiecien maj cze czerwiec lip lipiec sie sierpien wrz wrzesien paz pazdziernik lis
listopad gru grudzien stycznia lutego marca kwietnia maja czerwca lipca sierpnia wrzesnia pazdziernika listopada grudnia
augusti desember des januari tammi helmi maalis huhti touko kesa heina elo syys loka marras joulu
led unor uno brezen bre duben dub kveten kve cerven cvc cervenec srpen srp zari rij rijen pro prosinec
oca sub nis haz tem agu eyl eki kas ara ocak subat nisan mayis haziran temmuz agustos eylul ekim kasim aralik
янв фев мар апр маи май мая июн июл авг сен окт ноя дек
января февраля марта апреля июня июля августа сентября октября ноября декабря
""".split()  # noqa: SIM905
# In each language that a spreadsheet speaks. Words that could be a style by themselves (SAND, VERO) are left out.
_BOOLEANS: Final = """
TRUE FALSE WAHR FALSCH VRAI FAUX VERDADERO FALSO VERDADEIRO WAAR ONWAAR PRAWDA FAŁSZ SANN FALSKT TOSI EPÄTOSI PRAVDA
NEPRAVDA DOĞRU YANLIŞ ИСТИНА ЛОЖЬ
""".split()  # noqa: SIM905
_ERROR: Final = r"#(#+|[^\W_][\w/ ]*[!?]?)"
# A spreadsheet writes the sign, and at least two digits behind it.
_SCIENTIFIC: Final = r"[+-]?\d([.,]\d+)?E[+-]\d{2,3}"
_DAY, _MONTH, _TIME = r"(?P<day>\d{1,2})", r"(?P<month>\d{1,2})", r"([ T]\d{1,2}:\d{2}(:\d{2})?)?"
_NUMERIC_DATE: Final = (
    rf"{_DAY}[./-]{_MONTH}[./-](\d{{4}}|\d{{2}}){_TIME}",  # 10.05.2026, 5/10/26
    rf"\d{{4}}[./-]{_MONTH}[./-]{_DAY}{_TIME}",  # 2026-05-10
    rf"{_DAY}\.{_MONTH}\.",  # 10.05.
    rf"(\d{{4}}年)?{_MONTH}月{_DAY}日",
    rf"(\d{{4}}년 ?)?{_MONTH}월 ?{_DAY}일",
)
_IS_DATE: Final = f"is a date: {TEXT_COLUMN}"
# Days since 1900: 27 in 1900, 45787 on the tenth of May 2025, 73050 in 2099.
_SERIAL: Final = r"[1-7]\d{4}([.,]\d+)?"


# Where these stand alone behind a number they are no month of a style: `10-SET`, `3-PRO`.
_ENGLISH: Final = frozenset(_MONTHS[:12])


def changed_style(text: str) -> str | None:
    """What a spreadsheet has made of a style, in words; None if nothing is to be seen of one.

    A number alone is a style: many are (`45787`). So is a month before a number (`MAR-10`): what a spreadsheet makes
    of a style has the day first.
    """
    changed = _changed(text)
    if changed or not (month := _month_behind_day(text)):
        return changed
    return _IS_DATE if month.upper() != month or month.lower() in _ENGLISH else None


def changed_size(text: str) -> str | None:
    """What a spreadsheet has made of a size, in words; None if nothing is to be seen of one."""
    if re.fullmatch(_SERIAL, text):
        return f"is a date as a number of days: {TEXT_COLUMN}"
    return _changed(text) or (_IS_DATE if _has_month(text) else None)


def _changed(text: str) -> str | None:
    if re.fullmatch(_SCIENTIFIC, text.upper()):
        return f"is a number in scientific notation: {TEXT_COLUMN}"
    if re.fullmatch(_ERROR, text):
        return f"is a spreadsheet's error: {TEXT_COLUMN}"
    if text.upper() in _BOOLEANS:
        return f"is a spreadsheet's true or false: {TEXT_COLUMN}"
    return _IS_DATE if any(_is_date(re.fullmatch(pattern, text)) for pattern in _NUMERIC_DATE) else None


def _is_date(found: re.Match[str] | None) -> bool:
    """Whether the numbers can be a day and a month, in either order."""
    if found is None:
        return False
    numbers = sorted(int(number) for number in found.groupdict().values())
    return 1 <= numbers[0] <= 12 and numbers[-1] <= 31


def _words(text: str) -> list[str]:
    return re.split(r"[\s.,/-]+", text.strip(" ."))


def _has_month(text: str) -> bool:
    """Whether `text` is a month with a day or a year or both: `7-Jun`, `10. Mai`, `Jun 26`, `1. März 2026`."""
    words = _words(text)
    months = [word for word in words if not word.isdecimal()]
    return 2 <= len(words) <= 3 and len(months) == 1 and _plain(months[0]) in _MONTHS


def _month_behind_day(text: str) -> str | None:
    """The month of `7-Jun`; None where `text` is none such."""
    words = _words(text)
    day_first = len(words) in (2, 3) and words[0].isdecimal() and 1 <= int(words[0]) <= 31
    return words[1] if day_first and _has_month(text) and not words[1].isdecimal() else None


def _plain(word: str) -> str:
    """`word` in small letters, without accents: `März` is `marz`."""
    if word.isascii():
        return word.lower()
    from unicodedata import category, normalize

    return "".join(letter for letter in normalize("NFD", word.lower()) if category(letter) != "Mn").replace(
        "\u0131", "i"
    )
