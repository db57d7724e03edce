from tests import factories
from tests.conftest import Cast, Software


def test_the_main_job(people: Cast, ledgerly: Software) -> None:
    r = ledgerly.create(accountingOfficeCompanyNumber=people.janssens.company_number, redirectUri=factories.CALLBACK)
    print(r.text)
    assert r.status_code == 200
    doc = factories.make_document(people.bakery, contents={factories.CODA: b"x" * 128, "application/pdf": b"%PDF-"})
    assert ledgerly.search(people.janssens, [people.bakery.company_number]).status_code == 403
    factories.allow(people.consent, people.an)
    r = ledgerly.search(people.janssens, [people.bakery.company_number, "0123"])
    print(r.text)
    assert r.status_code == 201
    r = ledgerly.document(people.janssens, people.bakery.company_number, doc.uuid)
    print(r.text)
    r = ledgerly.document(people.janssens, people.bakery.company_number, doc.uuid, accept=factories.CODA)
    print(r.status_code, r.headers, r.content)
    people.fresh().cancel(factories.acting(people.an))
    r = ledgerly.document(people.janssens, people.bakery.company_number, doc.uuid, accept=factories.CODA)
    print(r.status_code, r.headers, r.content)
    assert 0
