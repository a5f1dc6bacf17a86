"""IRIs of the European vocabularies, and the field names we can give in both languages.

SeQF and EQF levels are those of the European Learning Model's controlled
vocabularies (nqf.xsd, eqf.xsd).
"""

from collections.abc import Mapping
from typing import Final

_SEQF: Final[Mapping[int, str]] = {
    1: "c_20b8cbc9",
    2: "c_e1f75f79",
    3: "c_4ec9e6c0",
    4: "c_6477e349",
    5: "c_b44f7367",
    6: "c_185bb246",
    7: "c_1ab773a2",
    8: "c_055b6cf8",
}

FIELDS_OF_EDUCATION: Final[Mapping[str, Mapping[str, str]]] = {
    "0231": {"sv": "Språkinlärning", "en": "Language acquisition"},
    "0414": {"sv": "Marknadsföring och reklam", "en": "Marketing and advertising"},
    "0416": {"sv": "Parti- och detaljhandel", "en": "Wholesale and retail sales"},
    "0417": {"sv": "Arbetslivskunskap", "en": "Work skills"},
    "0712": {"sv": "Miljöskyddsteknik", "en": "Environmental protection technology"},
    "0713": {"sv": "El och energi", "en": "Electricity and energy"},
    "0714": {"sv": "Elektronik och automation", "en": "Electronics and automation"},
    "0715": {"sv": "Maskinteknik och metallarbete", "en": "Mechanics and metal trades"},
    "0723": {
        "sv": "Textilier (kläder, skor och läder)",
        "en": "Textiles (clothes, footwear and leather)",
    },
    "0732": {"sv": "Byggnads- och anläggningsteknik", "en": "Building and civil engineering"},
}


def seqf_level(level: int) -> str:
    """The IRI of a level of the Swedish qualifications framework."""
    return f"http://data.europa.eu/snb/qdr/{_SEQF[level]}"


def eqf_level(level: int) -> str:
    """The IRI of a level of the European qualifications framework."""
    return f"http://data.europa.eu/snb/eqf/{level}"


def field_of_education(code: str) -> str:
    """The IRI of a field in ISCED-F 2013."""
    return f"http://data.europa.eu/snb/isced-f/{code}"
