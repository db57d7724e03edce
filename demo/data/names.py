"""Names that are difficult on purpose: long or equal, with accents, apostrophes and signs."""

from __future__ import annotations

import random
from typing import NamedTuple

# By the language of the office, so that no two offices have the same companies.
AWKWARD = {
    "nl": [
        "Bakkerij D'Hondt & Zonen",
        "Tuincentrum 't Groene Hart",
        'Café "De Zwaan" BV',
        "Janssens BV",
        "Janssens BV",
        "Van den Broeck & Fils SNC",
        "Coöperatieve Vennootschap voor de Gezamenlijke Aankoop van Biologische Zaden en"
        " Meststoffen van het Hageland CV",
        "'s-Gravenkapel Catering",
        "NV",
        "Çelik Bouwwerken BV",
    ],
    "fr": [
        "L'Étoile du Nord SRL",
        "Boulangerie Œuvrard SRL",
        "Brasserie Saint-Géry SRL/BV",
        "Dupont & Fils SA",
        "Dupont & Fils SA",
        "Immobilière de la Place Sainte-Catherine et de la rue Antoine Dansaert réunies SCRL",
        "Aux P'tits Oignons",
        "Crèche À l'Orée du Bois ASBL",
        "Ñandú Import-Export SRL",
    ],
    "de": [
        "Bäckerei Schäfer, Eupen",
        "Garage Müller GmbH",
        "Gasthaus Zur Schönen Aussicht, Büllingen",
        "Heinen Söhne OHG",
        "Heinen Söhne OHG",
        "Straßenbau Weiß, Sankt Vith",
        "Gemeinnützige Genossenschaft für Wald- und Wiesenpflege Ostbelgien und Umgebung eGmbH",
    ],
    "en": [
        "O'Brien & Sons SRL/BV",
        "Ķekava Timber (Brussels) BV",
        "Smith & Smith SRL",
        "Smith & Smith SRL",
        "The Very Long Name Trading, Shipping and Warehousing Company of Antwerp and Zeebrugge NV",
    ],
}
TRADES = {
    "nl": ["Bakkerij", "Garage", "Slagerij", "Bloemen", "Dakwerken", "Kapsalon", "Drukkerij"],
    "fr": [
        "Boulangerie",
        "Garage",
        "Boucherie",
        "Menuiserie",
        "Toitures",
        "Pharmacie",
        "Librairie",
    ],
    "de": ["Bäckerei", "Autohaus", "Metzgerei", "Schreinerei", "Gasthaus", "Apotheke", "Gärtnerei"],
    "en": ["Consulting", "Language School", "Bookshop", "Catering", "Removals", "Pub"],
}
FAMILIES = {
    "nl": ["Peeters", "D'Hoker", "Van Damme", "Claes", "Wouters", "De Smet", "Vandenbroucke"],
    "fr": ["Dupont", "Lefèvre", "D'Haene", "Noël", "Lambert", "Gérard", "Desmet-Carlier"],
    "de": ["Schmitz", "Müller", "Königs", "Weiß", "Schröder", "Jansen", "Heinen"],
    "en": ["O'Neill", "Fitzgerald", "Brontë", "McKay", "Smith-Jones"],
}
TOWNS = {
    "nl": ["Aalst", "Sint-Niklaas", "Mechelen", "Leuven", "Brugge", "Kortrijk"],
    "fr": ["Liège", "Namur", "Ixelles", "Braine-l'Alleud", "Mons", "La Louvière"],
    "de": ["Eupen", "Sankt Vith", "Büllingen", "Bütgenbach", "Kelmis", "Raeren"],
    "en": ["Brussels", "Waterloo", "Tervuren", "Antwerp"],
}
FORMS = {
    "nl": ["BV", "NV", "& Zonen", "VOF"],
    "fr": ["SRL", "SA", "et Fils", "SRL/BV"],
    "de": ["GmbH", "AG", "OHG"],
    "en": ["BV", "SRL/BV", "& Sons"],
}


class Counterparty(NamedTuple):
    """Somebody who pays or is paid. `code` is a CODA transaction code without its type.

    Families: 01 transfers, 04 cards, 05 direct debits. Operation 01 or higher is money going out,
    50 or higher money coming in.
    """

    name: str
    text: str
    sign: int
    code: str


OUT, IN, BY_CARD, TERMINAL, DIRECT_DEBIT = "0101000", "0150000", "0402000", "0450000", "0501000"
COUNTERPARTIES = [
    Counterparty("Energie Lumière SA", "Factuur energie", -1, DIRECT_DEBIT),
    Counterparty("Telecom Vlaanderen NV", "Abonnement", -1, DIRECT_DEBIT),
    Counterparty("FOD Financiën BTW", "Btw-aangifte", -1, OUT),
    Counterparty("Immo De Grote Markt", "Huur / loyer", -1, OUT),
    Counterparty("Sociaal Secretariaat Acta", "Lonen", -1, OUT),
    Counterparty("Grossiste Métro Namur", "Facture marchandises", -1, OUT),
    Counterparty("Tankstation Wéry", "Brandstof / carburant", -1, BY_CARD),
    Counterparty("Klant Maes & Co", "Betaling factuur", 1, IN),
    Counterparty("Client Dubois SRL", "Paiement facture", 1, IN),
    Counterparty("Kunde Pauels Eupen", "Rechnung", 1, IN),
    Counterparty("Boutique L'Œillet SRL", "Acompte sur commande", 1, IN),
    Counterparty("Terminal betalingen", "Kaartbetalingen", 1, TERMINAL),
]
NOTES = [
    "Detail beschikbaar bij de bank",
    "Facture 2041, facture 2042 moins note de crédit 318, facture 2050 et acompte du mois dernier",
    "Sammelüberweisung: Rechnungen 7701 bis 7719 abzüglich Gutschrift 204, Skonto zwei Prozent für"
    " Zahlung binnen acht Tagen, Bestellungen der Filialen Eupen, Kelmis und Sankt Vith,"
    " Ansprechpartnerin in der Buchhaltung Frau Käthe Weiß",
]
LONG_TEXT = (
    " voor de leveringen van de voorbije maand, met aftrek van de teruggezonden goederen, zoals"
    " telefonisch afgesproken"
)


def company_name(language: str, place: int, rng: random.Random) -> str:
    """The difficult names first, then invented ones in the language of the office."""
    if place < len(AWKWARD[language]):
        return AWKWARD[language][place]
    words = [rng.choice(TRADES[language]), rng.choice(FAMILIES[language])]
    words.append(rng.choice(FORMS[language]) if place % 3 else rng.choice(TOWNS[language]))
    return " ".join(words)
