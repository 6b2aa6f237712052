
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('subscriptions', '0002_keys_rotate_audit_is_searched'),
    ]

    operations = [
        migrations.CreateModel(
            name='AccessChanges',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('count', models.BigIntegerField(default=0, editable=False)),
            ],
        ),
    ]
