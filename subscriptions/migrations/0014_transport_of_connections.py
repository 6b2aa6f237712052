

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('subscriptions', '0013_customer_quotas'),
    ]

    operations = [
        migrations.AddField(
            model_name='liveconnection',
            name='transport',
            field=models.CharField(db_default='websocket', default='websocket', editable=False, help_text='websocket or sse.', max_length=16),
        ),
    ]
