"""Words of other scripts, and Latin words with diacritics, for text and titles other than English."""

from __future__ import annotations

import numpy as np

LATIN = "latin"
_WORDS = {
    "accented": (
        "žluťoučký kůň příliš úpěl ďábelské ódy światło łódź źródło ćma żaba gęś jeśli été forêt garçon naïf où "
        "çocuk güneş ığdır şehir över även småländsk größe straße füße año corazón señal avião coração nguyễn "
        "đường phố tiếng việt ăn uống được mới hôm nay zítra říká že tôi và của nó è più città perché così"
    ),
    "cyrillic": (
        "мост окно сервер поток запись сигнал город улица река вечер книга письмо каждый новый старый быстро "
        "между после потому когда только другой жизнь человек время дорога поезд станция журнал рисунок объём "
        "съезд щётка цифра эхо юность якорь день ночь работа вопрос ответ и в на с по не что как под для "
        "ещё всё большой чёрный жёлтый показать считать писать хранить открыть завтра сегодня"
    ),
    "greek": (
        "γέφυρα πόλη ποταμός βιβλίο παράθυρο σήμα δρόμος νύχτα ημέρα άνθρωπος χρόνος ζωή καινούργιος παλιός "
        "γρήγορα μεταξύ μετά όταν μόνο άλλος σταθμός τρένο εφημερίδα εικόνα αριθμός ήχος φως θάλασσα ψάρι "
        "ξύλο και στο με για δεν που πώς μεγάλος μαύρος κίτρινος δείχνω μετράω γράφω ανοίγω αύριο σήμερα ώρα"
    ),
}
_VOCABULARY = {name: words.split() for name, words in _WORDS.items()}
SCRIPTS = (LATIN, *_VOCABULARY)


def letters(script: str) -> str:
    """All characters of the script's words."""
    return "".join(sorted(set("".join(_VOCABULARY.get(script, ["abc"])))))


def words(rng: np.random.Generator, script: str, fewest: int, most: int) -> str:
    """Generate a sequence of words, the first capitalised."""
    chosen = rng.choice(_VOCABULARY[script], int(rng.integers(fewest, most + 1)))
    said = " ".join(str(word) for word in chosen)
    return said[0].upper() + said[1:]
