"""
Rename the table `users_intention` to `users_pending_change`.

After this migration, older versions of the code cannot change accounts. No stage runs one.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("users", "0004_listing_index")]

    operations = [
        migrations.RenameModel("Intention", "PendingChange"),
        migrations.AlterModelTable("pendingchange", "users_pending_change"),
        migrations.RenameIndex(
            "pendingchange",
            old_name="users_intention_email_idx",
            new_name="users_pending_change_email_idx",
        ),
    ]
