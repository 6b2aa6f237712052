"""Two customers with one of everything each, and an admin of the first."""

from __future__ import annotations

import pytest

from tests.subscriptions.support.admin_client import AdminClient, admin_of
from tests.subscriptions.support.tenants import Tenant, tenant


@pytest.fixture
def acme_tenant() -> Tenant:
    return tenant("acme")


@pytest.fixture
def globex_tenant() -> Tenant:
    return tenant("globex")


@pytest.fixture
def acme_admin(acme_tenant: Tenant) -> AdminClient:
    """The admin of Acme."""
    return admin_of(acme_tenant.customer)[0]
