from django.db import migrations
from django.db.models import Count, Func, IntegerField, Sum


class Bytes(Func):
    function = "OCTET_LENGTH"
    output_field = IntegerField()

    def as_sqlite(self, compiler, connection, **context):
        return self.as_sql(compiler, connection, template="LENGTH(CAST(%(expressions)s AS BLOB))", **context)


def measure(apps, schema_editor):
    """Write the size of the stored events into each log.

    Without a transaction around all of it: processes of the earlier version go on publishing, and must not wait.
    """
    Event, CustomerLog = apps.get_model("events", "Event"), apps.get_model("events", "CustomerLog")
    for customer_id in list(CustomerLog.objects.values_list("customer_id", flat=True)):
        events = Event.objects.filter(customer_id=customer_id).order_by()
        found = events.aggregate(count=Count("pk"), data=Sum(Bytes("body")))
        size = 1000 * found["count"] + (found["data"] or 0)
        CustomerLog.objects.filter(customer_id=customer_id).update(written_bytes=size, pruned_bytes=0)


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('events', '0006_stored_bytes'),
    ]

    operations = [migrations.RunPython(measure, migrations.RunPython.noop)]
