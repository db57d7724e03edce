"""Names that are awkward on purpose."""

import random

AWKWARD = [
    "Bakkerij D'Hondt & Zonen",
    "L'Étoile du Nord SRL",
    "Garage Müller GmbH",
    "Brasserie Saint-Géry SRL/BV",
    "Van den Broeck & Fils SNC",
    'Café "De Zwaan" BV',
    "Bäckerei Schäfer, Eupen",
    "Boulangerie Œuvrard SRL",
    "Tuincentrum 't Groene Hart",
    "Immobilière de la Place Sainte-Catherine et de la rue Antoine Dansaert réunies SCRL",
    "NV",
    "Janssens BV",
    "Janssens BV",
]
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
}
FAMILIES = {
    "nl": ["Peeters", "D'Hoker", "Van Damme", "Claes", "Wouters", "De Smet", "Vandenbroucke"],
    "fr": ["Dupont", "Lefèvre", "D'Haene", "Noël", "Lambert", "Gérard", "Desmet-Carlier"],
    "de": ["Schmitz", "Müller", "Königs", "Weiß", "Schröder", "Jansen", "Heinen"],
}
TOWNS = {
    "nl": ["Aalst", "Sint-Niklaas", "Mechelen", "Leuven", "Brugge", "Kortrijk"],
    "fr": ["Liège", "Namur", "Ixelles", "Braine-l'Alleud", "Mons", "La Louvière"],
    "de": ["Eupen", "Sankt Vith", "Büllingen", "Bütgenbach", "Kelmis", "Raeren"],
}
FORMS = {
    "nl": ["BV", "NV", "& Zonen", "VOF"],
    "fr": ["SRL", "SA", "et Fils", "SRL/BV"],
    "de": ["GmbH", "AG", "OHG"],
}
COUNTERPARTIES = [
    ("Energie Lumière SA", "Factuur energie", -1),
    ("Telecom Vlaanderen NV", "Abonnement", -1),
    ("FOD Financiën BTW", "Btw-aangifte", -1),
    ("Immo De Grote Markt", "Huur / loyer", -1),
    ("Sociaal Secretariaat Acta", "Lonen", -1),
    ("Grossiste Métro Namur", "Facture marchandises", -1),
    ("Klant Maes & Co", "Betaling factuur", 1),
    ("Client Dubois SRL", "Paiement facture", 1),
    ("Kunde Pauels Eupen", "Rechnung", 1),
    ("Terminal betalingen", "Kaartbetalingen", 1),
]


def company_name(language: str, place: int, rng: random.Random) -> str:
    """The awkward ones first, then made-up ones in the language of the office."""
    if place < len(AWKWARD):
        return AWKWARD[place]
    words = [rng.choice(TRADES[language]), rng.choice(FAMILIES[language])]
    words.append(rng.choice(FORMS[language]) if place % 3 else rng.choice(TOWNS[language]))
    return " ".join(words)
