"""Complete examples of requests of the control API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CUSTOMER = "12345678-1234-1234-1234-123456789012"
QUEUE = "9d2b7c40-51aa-4c07-8e0e-6b1f2f3a4d55"

BODIES: Mapping[str, Mapping[str, Any]] = {
    "Customer": {
        "name": "Acme",
        "is_active": True,
        "region": "US",
        "events_per_second": 200,
        "kilobytes_per_second": None,
        "stored_megabytes": None,
        "max_connections": 500,
        "data_check": "report",
        "time_zone": "America/New_York",
        "target_seconds": 20,
        "target_percent": 80,
        "wait_alarm_seconds": 60,
        "short_abandon_seconds": 5,
        "wrap_up_seconds": 30,
        "presence_policy": "away",
        "presence_grace_seconds": 30,
        "dispositions": [{"code": "sold", "label": "Sold"}],
        "away_reasons": [{"code": "lunch", "label": "Lunch", "minutes": 30}],
        "quick_replies": [{"title": "Hello", "text": "Hello {name}, this is {agent}."}],
        "crm_url": "https://crm.example.com/search?q={number}",
    },
    "Queue": {
        "customer_id": CUSTOMER,
        "name": "Support",
        "target_seconds": 30,
        "target_percent": 90,
        "wait_alarm_seconds": None,
        "short_abandon_seconds": None,
        "wrap_up_seconds": None,
    },
    "Agent": {
        "customer_id": CUSTOMER,
        "name": "Ann",
        "username": "ann",
        "password": "correct horse battery staple",
        "role": "agent",
        "is_active": True,
        "may_use_admin": False,
        "queue_ids": [QUEUE],
        "granted_resources": ["message"],
        "teams": ["Support", "Night shift"],
    },
    "AccessKey": {
        "customer_id": CUSTOMER,
        "agent_id": None,
        "kind": "program",
        "queue_ids": [],
        "label": "CRM",
        "may_subscribe": True,
        "may_publish": False,
        "may_control": False,
        "allowed_topics": [f"customer_id:{CUSTOMER}:call:*"],
        "filter": {"field": "queue_id", "op": "eq", "value": QUEUE},
        "events_per_second": None,
        "kilobytes_per_second": None,
        "expires_at": "2030-01-01T00:00:00Z",
    },
    "Token": {
        "customer_id": CUSTOMER,
        "agent_id": None,
        "allowed_topics": [f"customer_id:{CUSTOMER}:call:*"],
        "filter": None,
        "may_publish": False,
        "lifetime_seconds": 600,
    },
    "OptOut": {"customer_id": CUSTOMER, "since": "2024-01-15T10:30:00Z"},
}
PATCHES: Mapping[str, Mapping[str, Any]] = {
    "Customer": {"is_active": False},
    "Queue": {"name": "Sales"},
    "Agent": {"role": "manager"},
    "AccessKey": {"may_publish": True},
}
