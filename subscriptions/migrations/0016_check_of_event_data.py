
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('subscriptions', '0015_key_filter'),
    ]

    operations = [
        migrations.AddField(
            model_name='customer',
            name='data_check',
            field=models.CharField(blank=True, choices=[('', 'off'), ('report', 'report'), ('refuse', 'refuse')], db_default='', default='', help_text='Whether published data is compared with that of its event type: report returns warnings to the publisher, refuse refuses the request.', max_length=8, verbose_name='check of event data'),
        ),
    ]
