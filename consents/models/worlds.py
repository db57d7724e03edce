"""A consent never joins the sandbox with the real world."""

from __future__ import annotations

import pgtrigger

from core.triggers import Trigger

# A sandbox partner and the offices that were made for it; real ones among each other.
WORLDS_APART = Trigger(
    name="worlds_apart",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert | pgtrigger.UpdateOf("office_id", "partner_id"),  # type: ignore[no-untyped-call]
    func="""
        IF EXISTS (
            SELECT 1 FROM accounts_office o, partners_partner p
            WHERE o.id = NEW.office_id AND p.id = NEW.partner_id AND o.made_for
                IS DISTINCT FROM CASE WHEN p.kind = 'sandbox' THEN p.uuid END
        ) THEN
            RAISE EXCEPTION 'Office % is not in the world of partner %',
                NEW.office_id, NEW.partner_id USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    """,
)
