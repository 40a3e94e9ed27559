"""The first tables.

Revision: 0001
Follows:
"""

import sqlalchemy as sa
from alembic import op

from app.db import columns

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "brand",
        sa.Column("id", columns.Id, sa.Identity(always=False), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("texts", columns.Json, nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("pass_type_identifier", sa.Text(), nullable=False),
        sa.Column("team_identifier", sa.Text(), nullable=False),
        sa.Column("credentials", sa.Text(), nullable=False),
        sa.Column("asks_phone", sa.Text(), server_default="no", nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "asks_phone IN ('no', 'optional', 'needed', 'proved')", name=op.f("ck_brand_asks_phone_known")
        ),
        sa.CheckConstraint(
            "credentials LIKE 'file:%' OR credentials LIKE 'env:%' OR credentials = 'stored:'",
            name=op.f("ck_brand_credentials_are_a_reference"),
        ),
        sa.CheckConstraint("language IN ('ru', 'en')", name=op.f("ck_brand_language_known")),
        sa.CheckConstraint("length(currency) = 3", name=op.f("ck_brand_currency_is_iso_4217")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_brand")),
        sa.UniqueConstraint("slug", name=op.f("uq_brand_slug")),
    )
    op.create_table(
        "stored_certificate",
        sa.Column("id", columns.Id, sa.Identity(always=False), nullable=False),
        sa.Column("pass_type_identifier", sa.Text(), nullable=False),
        sa.Column("team_identifier", sa.Text(), nullable=False),
        sa.Column("organization", sa.Text(), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.Column("intermediate", sa.Text(), nullable=False),
        sa.Column("sealed_key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("expires_at", columns.UtcDateTime(), nullable=False),
        sa.Column("stored_at", columns.UtcDateTime(), nullable=False),
        sa.Column("stored_by", sa.Text(), nullable=False),
        sa.Column("replaced_at", columns.UtcDateTime(), nullable=True),
        sa.CheckConstraint("sealed_key LIKE '1:%'", name=op.f("ck_stored_certificate_key_is_sealed")),
        sa.CheckConstraint(
            "length(fingerprint) = 64", name=op.f("ck_stored_certificate_fingerprint_is_sha_256")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stored_certificate")),
    )
    with op.batch_alter_table("stored_certificate", schema=None) as batch_op:
        batch_op.create_index(
            "uq_stored_certificate_in_use",
            ["pass_type_identifier"],
            unique=True,
            sqlite_where=sa.text("replaced_at IS NULL"),
            postgresql_where=sa.text("replaced_at IS NULL"),
        )

    op.create_table(
        "certificate_request",
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("sealed_key", sa.Text(), nullable=False),
        sa.Column("made_at", columns.UtcDateTime(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.CheckConstraint("sealed_key LIKE '1:%'", name=op.f("ck_certificate_request_key_is_sealed")),
        sa.CheckConstraint(
            "length(fingerprint) = 64", name=op.f("ck_certificate_request_fingerprint_is_sha_256")
        ),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_certificate_request")),
    )
    op.create_table(
        "breaker",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("opened_at", columns.UtcDateTime(), nullable=False),
        sa.Column("probe_at", columns.UtcDateTime(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_breaker")),
    )
    op.create_table(
        "device",
        sa.Column("id", columns.Id, sa.Identity(always=False), nullable=False),
        sa.Column("device_library_identifier", sa.Text(), nullable=False),
        sa.Column("pass_type_identifier", sa.Text(), nullable=False),
        sa.Column("push_token", sa.Text(), nullable=False),
        sa.Column("push_service", sa.Text(), server_default="apple", nullable=False),
        sa.Column("registered_at", columns.UtcDateTime(), nullable=False),
        sa.Column("held_at", columns.UtcDateTime(), nullable=False),
        sa.Column("contacted_at", columns.UtcDateTime(), nullable=True),
        sa.Column("unreachable_since", columns.UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "push_service IN ('apple', 'other')", name=op.f("ck_device_push_service_is_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device")),
        sa.UniqueConstraint(
            "device_library_identifier",
            "pass_type_identifier",
            name=op.f("uq_device_device_library_identifier_pass_type_identifier"),
        ),
    )
    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.create_index("ix_device_held", ["held_at"], unique=False)

    op.create_table(
        "key_fingerprint",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "length(fingerprint) = 64", name=op.f("ck_key_fingerprint_fingerprint_is_sha_256")
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_key_fingerprint")),
    )
    op.create_table(
        "evidence_watermark",
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("recorded_until", columns.UtcDateTime(), nullable=False),
        sa.Column("seen_at", columns.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("process", name=op.f("pk_evidence_watermark")),
    )
    op.create_table(
        "device_log",
        sa.Column("id", columns.Id, sa.Identity(always=False), nullable=False),
        sa.Column("at", columns.UtcDateTime(), nullable=False),
        sa.Column("pass_type_identifier", sa.Text(), nullable=True),
        sa.Column("line", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_log")),
    )
    with op.batch_alter_table("device_log", schema=None) as batch_op:
        batch_op.create_index("ix_device_log_at", ["at"], unique=False)

    op.create_table(
        "job",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("slot", columns.UtcDateTime(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("lease_until", columns.UtcDateTime(), nullable=True),
        sa.Column("done_at", columns.UtcDateTime(), nullable=True),
        sa.CheckConstraint("(owner IS NULL) = (lease_until IS NULL)", name=op.f("ck_job_lease_has_owner")),
        sa.PrimaryKeyConstraint("kind", "slot", name=op.f("pk_job")),
    )
    op.create_table(
        "tag_counter",
        sa.Column("pass_type_identifier", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("pass_type_identifier", name=op.f("pk_tag_counter")),
    )
    op.create_table(
        "audit_entry",
        sa.Column("id", columns.Id, sa.Identity(always=False), nullable=False),
        sa.Column("at", columns.UtcDateTime(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("brand_id", columns.Id, nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", columns.Json, nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_audit_entry_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.create_index("ix_audit_entry_brand_at", ["brand_id", "at"], unique=False)
        batch_op.create_index("ix_audit_entry_subject", ["subject", "id"], unique=False)

    op.create_table(
        "member",
        sa.Column("id", columns.Id, sa.Identity(always=False), nullable=False),
        sa.Column("brand_id", columns.Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("phone_verified_at", columns.UtcDateTime(), nullable=True),
        sa.Column("birthday", sa.Text(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("removed_at", columns.UtcDateTime(), nullable=True),
        sa.Column("merged_into_id", columns.Id, nullable=True),
        sa.CheckConstraint("birthday LIKE '__-__'", name=op.f("ck_member_birthday_is_month_and_day")),
        sa.CheckConstraint("language IN ('ru', 'en')", name=op.f("ck_member_language_known")),
        sa.CheckConstraint("phone LIKE '+%'", name=op.f("ck_member_phone_is_e164")),
        sa.CheckConstraint(
            "phone_verified_at IS NULL OR phone IS NOT NULL", name=op.f("ck_member_verified_is_a_number")
        ),
        sa.CheckConstraint(
            "merged_into_id IS NULL OR removed_at IS NOT NULL", name=op.f("ck_member_merged_is_over")
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_member_brand_id")),
        sa.ForeignKeyConstraint(["merged_into_id"], ["member.id"], name=op.f("fk_member_merged_into_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member")),
    )
    with op.batch_alter_table("member", schema=None) as batch_op:
        batch_op.create_index("ix_member_brand", ["brand_id", "id"], unique=False)
        batch_op.create_index(
            "ix_member_merged",
            ["merged_into_id"],
            unique=False,
            sqlite_where=sa.text("merged_into_id IS NOT NULL"),
            postgresql_where=sa.text("merged_into_id IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_member_phone",
            ["brand_id", "phone"],
            unique=False,
            sqlite_where=sa.text("phone IS NOT NULL"),
            postgresql_where=sa.text("phone IS NOT NULL"),
        )
        batch_op.create_index(
            "uq_member_verified_phone",
            ["brand_id", "phone"],
            unique=True,
            sqlite_where=sa.text("phone_verified_at IS NOT NULL"),
            postgresql_where=sa.text("phone_verified_at IS NOT NULL"),
        )

    op.create_table(
        "sending_pace",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("free_at", columns.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_sending_pace")),
    )
    op.create_table(
        "programme",
        sa.Column("id", columns.Id, sa.Identity(always=False), nullable=False),
        sa.Column("brand_id", columns.Id, nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("rules", columns.Json, nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.CheckConstraint("kind IN ('bonus', 'stamp', 'tiered')", name=op.f("ck_programme_kind_known")),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_programme_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programme")),
        sa.UniqueConstraint("brand_id", "slug", name=op.f("uq_programme_brand_id_slug")),
    )
    op.create_table(
        "push_budget",
        sa.Column("device_id", columns.Id, nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("last_push_at", columns.UtcDateTime(), nullable=False),
        sa.Column("passes", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("score >= 0", name=op.f("ck_push_budget_score_not_negative")),
        sa.CheckConstraint("passes >= 1", name=op.f("ck_push_budget_passes_counted")),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_push_budget_device_id")),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_push_budget")),
    )
    op.create_table(
        "venue",
        sa.Column("id", columns.Id, sa.Identity(always=False), nullable=False),
        sa.Column("brand_id", columns.Id, nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("relevant_text_ru", sa.Text(), nullable=True),
        sa.Column("relevant_text_en", sa.Text(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("closed_at", columns.UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "(latitude IS NULL AND longitude IS NULL) OR (latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180)",
            name=op.f("ck_venue_coordinates_on_earth"),
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_venue_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_venue")),
        sa.UniqueConstraint("brand_id", "slug", name=op.f("uq_venue_brand_id_slug")),
    )
    op.create_table(
        "consent",
        sa.Column("id", columns.Id, sa.Identity(always=False), nullable=False),
        sa.Column("member_id", columns.Id, nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("text_version", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("at", columns.UtcDateTime(), nullable=False),
        sa.CheckConstraint("purpose IN ('data', 'advertising')", name=op.f("ck_consent_purpose_known")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_consent_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.create_index("ix_consent_member", ["member_id", "purpose", "id"], unique=False)

    op.create_table(
        "design",
        sa.Column("id", columns.Id, sa.Identity(always=False), nullable=False),
        sa.Column("programme_id", columns.Id, nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("layout", columns.Json, nullable=False),
        sa.Column("source", columns.Json, server_default="{}", nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("withdrawn_at", columns.UtcDateTime(), nullable=True),
        sa.CheckConstraint("version >= 1", name=op.f("ck_design_version_counts_from_one")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_design_programme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_design")),
        sa.UniqueConstraint("programme_id", "version", name=op.f("uq_design_programme_id_version")),
    )
    op.create_table(
        "placement",
        sa.Column("id", columns.Id, sa.Identity(always=False), nullable=False),
        sa.Column("venue_id", columns.Id, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('table', 'till', 'door', 'poster', 'other')", name=op.f("ck_placement_kind_known")
        ),
        sa.ForeignKeyConstraint(["venue_id"], ["venue.id"], name=op.f("fk_placement_venue_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_placement")),
        sa.UniqueConstraint("venue_id", "kind", "name", name=op.f("uq_placement_venue_id_kind_name")),
    )
    op.create_table(
        "point_of_sale_key",
        sa.Column("id", columns.Id, sa.Identity(always=False), nullable=False),
        sa.Column("brand_id", columns.Id, nullable=False),
        sa.Column("venue_id", columns.Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("expires_at", columns.UtcDateTime(), nullable=True),
        sa.Column("last_used_at", columns.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_point_of_sale_key_brand_id")),
        sa.ForeignKeyConstraint(["venue_id"], ["venue.id"], name=op.f("fk_point_of_sale_key_venue_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_point_of_sale_key")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_point_of_sale_key_secret_hash")),
    )
    with op.batch_alter_table("point_of_sale_key", schema=None) as batch_op:
        batch_op.create_index("ix_point_of_sale_key_venue", ["venue_id"], unique=False)
        batch_op.create_index(
            "uq_point_of_sale_key_living_name",
            ["venue_id", "name"],
            unique=True,
            sqlite_where=sa.text("expires_at IS NULL"),
            postgresql_where=sa.text("expires_at IS NULL"),
        )

    op.create_table(
        "staff_member",
        sa.Column("id", columns.Id, sa.Identity(always=False), nullable=False),
        sa.Column("brand_id", columns.Id, nullable=False),
        sa.Column("venue_id", columns.Id, nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("left_at", columns.UtcDateTime(), nullable=True),
        sa.Column("monthly_target", sa.Integer(), nullable=True),
        sa.CheckConstraint("monthly_target > 0", name=op.f("ck_staff_member_target_is_something")),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_staff_member_brand_id")),
        sa.ForeignKeyConstraint(["venue_id"], ["venue.id"], name=op.f("fk_staff_member_venue_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_member")),
        sa.UniqueConstraint("brand_id", "name", name=op.f("uq_staff_member_brand_id_name")),
    )
    op.create_table(
        "user_account",
        sa.Column("id", columns.Id, sa.Identity(always=False), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("password_changed_at", columns.UtcDateTime(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("operator", sa.Boolean(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_user_account_email_in_lower_case")),
        sa.CheckConstraint("language IN ('ru', 'en')", name=op.f("ck_user_account_language_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_account")),
        sa.UniqueConstraint("email", name=op.f("uq_user_account_email")),
    )
    op.create_table(
        "user_access",
        sa.Column("user_id", columns.Id, nullable=False),
        sa.Column("brand_id", columns.Id, nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "role IN ('owner', 'marketer', 'manager', 'cashier')", name=op.f("ck_user_access_role_known")
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_user_access_brand_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_user_access_user_id")),
        sa.PrimaryKeyConstraint("user_id", "brand_id", name=op.f("pk_user_access")),
    )
    with op.batch_alter_table("user_access", schema=None) as batch_op:
        batch_op.create_index("ix_user_access_brand", ["brand_id"], unique=False)

    op.create_table(
        "user_venue",
        sa.Column("user_id", columns.Id, nullable=False),
        sa.Column("venue_id", columns.Id, nullable=False),
        sa.Column("brand_id", columns.Id, nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_user_venue_brand_id")),
        sa.ForeignKeyConstraint(
            ["user_id", "brand_id"],
            ["user_access.user_id", "user_access.brand_id"],
            name=op.f("fk_user_venue_user_id_brand_id"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_user_venue_user_id")),
        sa.ForeignKeyConstraint(["venue_id"], ["venue.id"], name=op.f("fk_user_venue_venue_id")),
        sa.PrimaryKeyConstraint("user_id", "venue_id", name=op.f("pk_user_venue")),
    )
    with op.batch_alter_table("user_venue", schema=None) as batch_op:
        batch_op.create_index("ix_user_venue_venue", ["venue_id"], unique=False)

    op.create_table(
        "user_session",
        sa.Column("id", columns.Id, sa.Identity(always=False), nullable=False),
        sa.Column("user_id", columns.Id, nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("user_agent", sa.Text(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("seen_at", columns.UtcDateTime(), nullable=False),
        sa.Column("expires_at", columns.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_user_session_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_user_session_token_hash")),
    )
    with op.batch_alter_table("user_session", schema=None) as batch_op:
        batch_op.create_index("ix_user_session_expires", ["expires_at"], unique=False)
        batch_op.create_index("ix_user_session_user", ["user_id"], unique=False)

    op.create_table(
        "invitation",
        sa.Column("id", columns.Id, sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("brand_id", columns.Id, nullable=True),
        sa.Column("user_id", columns.Id, nullable=True),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("venues", columns.Json, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("expires_at", columns.UtcDateTime(), nullable=False),
        sa.Column("used_at", columns.UtcDateTime(), nullable=True),
        sa.Column("withdrawn_at", columns.UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "(kind = 'operator' AND brand_id IS NULL AND user_id IS NULL AND role IS NULL)"
            " OR (kind = 'brand' AND brand_id IS NOT NULL AND user_id IS NULL"
            " AND role IN ('owner', 'marketer', 'manager', 'cashier'))"
            " OR (kind = 'password' AND user_id IS NOT NULL AND role IS NULL)",
            name=op.f("ck_invitation_kind_says_what_for"),
        ),
        sa.CheckConstraint(
            "used_at IS NULL OR withdrawn_at IS NULL", name=op.f("ck_invitation_used_or_withdrawn")
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_invitation_brand_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_invitation_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invitation_token_hash")),
    )
    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.create_index("ix_invitation_brand", ["brand_id"], unique=False)

    op.create_table(
        "till_call",
        sa.Column("venue_id", columns.Id, nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("answer", columns.Json, nullable=False),
        sa.Column("at", columns.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["venue_id"], ["venue.id"], name=op.f("fk_till_call_venue_id")),
        sa.PrimaryKeyConstraint("venue_id", "idempotency_key", name=op.f("pk_till_call")),
    )
    with op.batch_alter_table("till_call", schema=None) as batch_op:
        batch_op.create_index("ix_till_call_at", ["at"], unique=False)

    op.create_table(
        "design_file",
        sa.Column("design_id", columns.Id, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["design_id"], ["design.id"], name=op.f("fk_design_file_design_id")),
        sa.PrimaryKeyConstraint("design_id", "path", name=op.f("pk_design_file")),
    )
    op.create_table(
        "install_link",
        sa.Column("id", columns.Id, sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("brand_id", columns.Id, nullable=False),
        sa.Column("programme_id", columns.Id, nullable=False),
        sa.Column("venue_id", columns.Id, nullable=False),
        sa.Column("placement_id", columns.Id, nullable=True),
        sa.Column("staff_member_id", columns.Id, nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("retired_at", columns.UtcDateTime(), nullable=True),
        sa.Column("printed_at", columns.UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "placement_id IS NULL OR staff_member_id IS NULL", name=op.f("ck_install_link_one_source")
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_install_link_brand_id")),
        sa.ForeignKeyConstraint(
            ["placement_id"], ["placement.id"], name=op.f("fk_install_link_placement_id")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.id"], name=op.f("fk_install_link_programme_id")
        ),
        sa.ForeignKeyConstraint(
            ["staff_member_id"], ["staff_member.id"], name=op.f("fk_install_link_staff_member_id")
        ),
        sa.ForeignKeyConstraint(["venue_id"], ["venue.id"], name=op.f("fk_install_link_venue_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_install_link")),
        sa.UniqueConstraint("code", name=op.f("uq_install_link_code")),
    )
    with op.batch_alter_table("install_link", schema=None) as batch_op:
        batch_op.create_index("ix_install_link_brand", ["brand_id"], unique=False)
        batch_op.create_index("ix_install_link_venue", ["venue_id"], unique=False)

    op.create_table(
        "wallet_pass",
        sa.Column("id", columns.Id, sa.Identity(always=False), nullable=False),
        sa.Column("pass_type_identifier", sa.Text(), nullable=False),
        sa.Column("serial_number", sa.Text(), nullable=False),
        sa.Column("design_id", columns.Id, nullable=False),
        sa.Column("previous_design_id", columns.Id, nullable=True),
        sa.Column("content", columns.Json, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("tag", sa.BigInteger(), nullable=False),
        sa.Column("last_modified", columns.UtcDateTime(), nullable=False),
        sa.Column("key_version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("voided_at", columns.UtcDateTime(), nullable=True),
        sa.CheckConstraint("version >= 1", name=op.f("ck_wallet_pass_version_counts_from_one")),
        sa.ForeignKeyConstraint(["design_id"], ["design.id"], name=op.f("fk_wallet_pass_design_id")),
        sa.ForeignKeyConstraint(
            ["previous_design_id"], ["design.id"], name=op.f("fk_wallet_pass_previous_design_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wallet_pass")),
        sa.UniqueConstraint(
            "pass_type_identifier",
            "serial_number",
            name=op.f("uq_wallet_pass_pass_type_identifier_serial_number"),
        ),
    )
    with op.batch_alter_table("wallet_pass", schema=None) as batch_op:
        batch_op.create_index("ix_wallet_pass_design", ["design_id", "id", "voided_at"], unique=False)

    op.create_table(
        "google_account",
        sa.Column("brand_id", columns.Id, nullable=False),
        sa.Column("issuer_id", sa.Text(), nullable=False),
        sa.Column("credentials", sa.Text(), nullable=False),
        sa.Column("sealed_key", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("changed_at", columns.UtcDateTime(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "credentials LIKE 'file:%' OR credentials LIKE 'env:%' OR credentials = 'stored:'",
            name=op.f("ck_google_account_credentials_are_a_reference"),
        ),
        sa.CheckConstraint(
            "(credentials = 'stored:') = (sealed_key IS NOT NULL)",
            name=op.f("ck_google_account_key_where_stored"),
        ),
        sa.CheckConstraint("sealed_key LIKE '1:%'", name=op.f("ck_google_account_key_is_sealed")),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_google_account_brand_id")),
        sa.PrimaryKeyConstraint("brand_id", name=op.f("pk_google_account")),
    )
    op.create_table(
        "google_callback",
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("at", columns.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("nonce", name=op.f("pk_google_callback")),
    )
    op.create_table(
        "google_image",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("length(digest) = 64", name=op.f("ck_google_image_digest_is_sha_256")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_google_image")),
    )
    op.create_table(
        "google_class",
        sa.Column("id", columns.Id, sa.Identity(always=False), nullable=False),
        sa.Column("issuer_id", sa.Text(), nullable=False),
        sa.Column("resource_id", sa.Text(), nullable=False),
        sa.Column("brand_id", columns.Id, nullable=False),
        sa.Column("programme_id", columns.Id, nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("tier_key", sa.Text(), server_default="", nullable=False),
        sa.Column("tier", columns.Json, nullable=True),
        sa.Column("sent", columns.Json, nullable=True),
        sa.Column("accepted_at", columns.UtcDateTime(), nullable=True),
        sa.Column("refused", sa.Text(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_google_class_brand_id")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.id"], name=op.f("fk_google_class_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_google_class")),
        sa.UniqueConstraint(
            "issuer_id",
            "programme_id",
            "family",
            "tier_key",
            name=op.f("uq_google_class_issuer_id_programme_id_family_tier_key"),
        ),
        sa.UniqueConstraint("resource_id", name=op.f("uq_google_class_resource_id")),
    )
    op.create_table(
        "google_broadcast",
        sa.Column("id", columns.Id, sa.Identity(always=False), nullable=False),
        sa.Column("google_class_id", columns.Id, nullable=False),
        sa.Column("announcement", sa.Text(), nullable=False),
        sa.Column("text", columns.Json, nullable=False),
        sa.Column("at", columns.UtcDateTime(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("handed_to", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("noted_to", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("on_class", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("doubted_at", columns.UtcDateTime(), nullable=True),
        sa.CheckConstraint("way IN ('class', 'cards')", name=op.f("ck_google_broadcast_way_known")),
        sa.ForeignKeyConstraint(
            ["google_class_id"], ["google_class.id"], name=op.f("fk_google_broadcast_google_class_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_google_broadcast")),
        sa.UniqueConstraint(
            "google_class_id",
            "announcement",
            name=op.f("uq_google_broadcast_google_class_id_announcement"),
        ),
    )
    op.create_table(
        "google_object",
        sa.Column("id", columns.Id, sa.Identity(always=False), nullable=False),
        sa.Column("pass_id", columns.Id, nullable=False),
        sa.Column("brand_id", columns.Id, nullable=False),
        sa.Column("issuer_id", sa.Text(), nullable=False),
        sa.Column("resource_id", sa.Text(), nullable=False),
        sa.Column("google_class_id", columns.Id, nullable=True),
        sa.Column("sent", columns.Json, nullable=True),
        sa.Column("messages", columns.Json, nullable=True),
        sa.Column("announced", sa.Text(), nullable=True),
        sa.Column("doubted_message", sa.Text(), nullable=True),
        sa.Column("doubted_at", columns.UtcDateTime(), nullable=True),
        sa.Column("unread_since", columns.UtcDateTime(), nullable=True),
        sa.Column("has_users", sa.Boolean(), nullable=True),
        sa.Column("inserted_at", columns.UtcDateTime(), nullable=True),
        sa.Column("first_saved_at", columns.UtcDateTime(), nullable=True),
        sa.Column("removed_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "(doubted_message IS NULL) = (doubted_at IS NULL)", name=op.f("ck_google_object_doubted_since")
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_google_object_brand_id")),
        sa.ForeignKeyConstraint(
            ["google_class_id"], ["google_class.id"], name=op.f("fk_google_object_google_class_id")
        ),
        sa.ForeignKeyConstraint(["pass_id"], ["wallet_pass.id"], name=op.f("fk_google_object_pass_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_google_object")),
        sa.UniqueConstraint("pass_id", name=op.f("uq_google_object_pass_id")),
        sa.UniqueConstraint("resource_id", name=op.f("uq_google_object_resource_id")),
    )
    with op.batch_alter_table("google_object", schema=None) as batch_op:
        batch_op.create_index("ix_google_object_class", ["google_class_id", "id"], unique=False)

    op.create_table(
        "delivery",
        sa.Column("id", columns.Id, sa.Identity(always=False), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("device_id", columns.Id, nullable=True),
        sa.Column("pass_type_identifier", sa.Text(), nullable=True),
        sa.Column("login", sa.Text(), nullable=True),
        sa.Column("brand_id", columns.Id, nullable=True),
        sa.Column("google_object_id", columns.Id, nullable=True),
        sa.Column("google_class_id", columns.Id, nullable=True),
        sa.Column("google_broadcast_id", columns.Id, nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_at", columns.UtcDateTime(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("held_since", columns.UtcDateTime(), nullable=True),
        sa.Column("lease_until", columns.UtcDateTime(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("settled_at", columns.UtcDateTime(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("ask_at", columns.UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "(state = 'sending') = (lease_until IS NOT NULL) AND (state = 'sending') = (owner IS NOT NULL)",
            name=op.f("ck_delivery_lease_while_sending"),
        ),
        sa.CheckConstraint(
            "(state IN ('pending', 'sending')) = (settled_at IS NULL)",
            name=op.f("ck_delivery_settled_when_over"),
        ),
        sa.CheckConstraint(
            "(channel = 'apple') = (device_id IS NOT NULL)"
            " AND (channel = 'apple') = (pass_type_identifier IS NOT NULL)"
            " AND (channel = 'sms') = (login IS NOT NULL)"
            " AND (channel = 'google') = (brand_id IS NOT NULL)"
            " AND (channel = 'google' AND kind NOT IN ('class', 'broadcast')) = (google_object_id IS NOT NULL)"
            " AND (channel = 'google' AND kind = 'class') = (google_class_id IS NOT NULL)"
            " AND (channel = 'google' AND kind = 'broadcast') = (google_broadcast_id IS NOT NULL)",
            name=op.f("ck_delivery_addressed_by_channel"),
        ),
        sa.CheckConstraint(
            "(channel = 'apple' AND kind IN ('receipt', 'campaign', 'silent'))"
            " OR (channel = 'sms' AND kind IN ('code', 'service', 'advertising'))"
            " OR (channel = 'google'"
            " AND kind IN ('class', 'receipt', 'level', 'broadcast', 'campaign', 'silent'))",
            name=op.f("ck_delivery_kind_of_channel"),
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'sending', 'accepted', 'superseded', 'gone', 'refused', 'exhausted')"
            " OR (channel = 'sms' AND state IN ('delivered', 'undelivered'))",
            name=op.f("ck_delivery_state_of_channel"),
        ),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_delivery_attempts_counted")),
        sa.CheckConstraint("ask_at IS NULL OR channel = 'sms'", name=op.f("ck_delivery_asked_of_texts")),
        sa.CheckConstraint(
            "held_since IS NULL OR state = 'pending'", name=op.f("ck_delivery_held_while_pending")
        ),
        sa.CheckConstraint(
            "(channel <> 'google' AND ("
            "(kind = 'receipt' AND priority = 0) OR (kind = 'campaign' AND priority = 1)"
            " OR (kind = 'silent' AND priority = 2) OR (kind = 'code' AND priority = 10)"
            " OR (kind = 'service' AND priority = 11) OR (kind = 'advertising' AND priority = 12)))"
            " OR (channel = 'google' AND ("
            "(kind = 'class' AND priority = 20) OR (kind = 'receipt' AND priority = 21)"
            " OR (kind = 'level' AND priority = 22) OR (kind = 'broadcast' AND priority = 23)"
            " OR (kind = 'campaign' AND priority = 24) OR (kind = 'silent' AND priority = 25)))",
            name=op.f("ck_delivery_priority_follows_kind"),
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_delivery_brand_id")),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_delivery_device_id")),
        sa.ForeignKeyConstraint(
            ["google_broadcast_id"], ["google_broadcast.id"], name=op.f("fk_delivery_google_broadcast_id")
        ),
        sa.ForeignKeyConstraint(
            ["google_class_id"], ["google_class.id"], name=op.f("fk_delivery_google_class_id")
        ),
        sa.ForeignKeyConstraint(
            ["google_object_id"], ["google_object.id"], name=op.f("fk_delivery_google_object_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.create_index(
            "ix_delivery_accepted_text",
            ["login", "id"],
            unique=False,
            sqlite_where=sa.text("state = 'accepted' AND login IS NOT NULL"),
            postgresql_where=sa.text("state = 'accepted' AND login IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_delivery_ask",
            ["login", "ask_at"],
            unique=False,
            sqlite_where=sa.text("ask_at IS NOT NULL"),
            postgresql_where=sa.text("ask_at IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_delivery_code",
            ["created_at"],
            unique=False,
            sqlite_where=sa.text("kind = 'code'"),
            postgresql_where=sa.text("kind = 'code'"),
        )
        batch_op.create_index("ix_delivery_device", ["device_id", "id"], unique=False)
        batch_op.create_index(
            "ix_delivery_due",
            ["priority", "due_at"],
            unique=False,
            sqlite_where=sa.text("state = 'pending'"),
            postgresql_where=sa.text("state = 'pending'"),
        )
        batch_op.create_index(
            "ix_delivery_due_text",
            ["login", "priority", "due_at"],
            unique=False,
            sqlite_where=sa.text("state = 'pending' AND login IS NOT NULL"),
            postgresql_where=sa.text("state = 'pending' AND login IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_delivery_lease",
            ["lease_until"],
            unique=False,
            sqlite_where=sa.text("state = 'sending'"),
            postgresql_where=sa.text("state = 'sending'"),
        )
        batch_op.create_index(
            "uq_delivery_one_pending",
            ["device_id"],
            unique=True,
            sqlite_where=sa.text("state = 'pending'"),
            postgresql_where=sa.text("state = 'pending'"),
        )
        batch_op.create_index(
            "uq_delivery_one_sending",
            ["device_id"],
            unique=True,
            sqlite_where=sa.text("state = 'sending'"),
            postgresql_where=sa.text("state = 'sending'"),
        )
        batch_op.create_index(
            "ix_delivery_due_google",
            ["brand_id", "priority", "due_at"],
            unique=False,
            sqlite_where=sa.text("state = 'pending' AND brand_id IS NOT NULL"),
            postgresql_where=sa.text("state = 'pending' AND brand_id IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_delivery_google_broadcast",
            ["google_broadcast_id", "id"],
            unique=False,
            sqlite_where=sa.text("google_broadcast_id IS NOT NULL"),
            postgresql_where=sa.text("google_broadcast_id IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_delivery_google_object",
            ["google_object_id", "id"],
            unique=False,
            sqlite_where=sa.text("google_object_id IS NOT NULL"),
            postgresql_where=sa.text("google_object_id IS NOT NULL"),
        )
        batch_op.create_index(
            "uq_delivery_one_pending_object",
            ["google_object_id"],
            unique=True,
            sqlite_where=sa.text("state = 'pending' AND google_object_id IS NOT NULL"),
            postgresql_where=sa.text("state = 'pending' AND google_object_id IS NOT NULL"),
        )
        batch_op.create_index(
            "uq_delivery_one_sending_object",
            ["google_object_id"],
            unique=True,
            sqlite_where=sa.text("state = 'sending' AND google_object_id IS NOT NULL"),
            postgresql_where=sa.text("state = 'sending' AND google_object_id IS NOT NULL"),
        )
        batch_op.create_index(
            "uq_delivery_one_pending_class",
            ["google_class_id"],
            unique=True,
            sqlite_where=sa.text("state = 'pending' AND google_class_id IS NOT NULL"),
            postgresql_where=sa.text("state = 'pending' AND google_class_id IS NOT NULL"),
        )
        batch_op.create_index(
            "uq_delivery_one_sending_class",
            ["google_class_id"],
            unique=True,
            sqlite_where=sa.text("state = 'sending' AND google_class_id IS NOT NULL"),
            postgresql_where=sa.text("state = 'sending' AND google_class_id IS NOT NULL"),
        )
        batch_op.create_index(
            "uq_delivery_one_pending_broadcast",
            ["google_broadcast_id"],
            unique=True,
            sqlite_where=sa.text("state = 'pending' AND google_broadcast_id IS NOT NULL"),
            postgresql_where=sa.text("state = 'pending' AND google_broadcast_id IS NOT NULL"),
        )
        batch_op.create_index(
            "uq_delivery_one_sending_broadcast",
            ["google_broadcast_id"],
            unique=True,
            sqlite_where=sa.text("state = 'sending' AND google_broadcast_id IS NOT NULL"),
            postgresql_where=sa.text("state = 'sending' AND google_broadcast_id IS NOT NULL"),
        )

    op.create_table(
        "google_notification",
        sa.Column("delivery_id", columns.Id, nullable=False),
        sa.Column("google_object_id", columns.Id, nullable=False),
        sa.Column("at", columns.UtcDateTime(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.CheckConstraint("how IN ('message', 'field')", name=op.f("ck_google_notification_how_known")),
        sa.CheckConstraint(
            "outcome IN ('asked', 'notified', 'no_holder', 'held', 'quota', 'unused')",
            name=op.f("ck_google_notification_outcome_known"),
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_google_notification_delivery_id")
        ),
        sa.ForeignKeyConstraint(
            ["google_object_id"],
            ["google_object.id"],
            name=op.f("fk_google_notification_google_object_id"),
        ),
        sa.PrimaryKeyConstraint("delivery_id", "google_object_id", name=op.f("pk_google_notification")),
    )
    with op.batch_alter_table("google_notification", schema=None) as batch_op:
        batch_op.create_index("ix_google_notification_object", ["google_object_id", "at"], unique=False)

    op.create_table(
        "text_message",
        sa.Column("delivery_id", columns.Id, nullable=False),
        sa.Column("brand_id", columns.Id, nullable=False),
        sa.Column("member_id", columns.Id, nullable=True),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("sender", sa.Text(), nullable=True),
        sa.Column("reference", sa.BigInteger(), nullable=False),
        sa.Column("not_after", columns.UtcDateTime(), nullable=True),
        sa.Column("encoding", sa.Text(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("price_told", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("in_doubt_since", columns.UtcDateTime(), nullable=True),
        sa.Column("provider_id", sa.Text(), nullable=True),
        sa.Column("accepted_at", columns.UtcDateTime(), nullable=True),
        sa.Column("receipt_at", columns.UtcDateTime(), nullable=True),
        sa.CheckConstraint("number LIKE '+%'", name=op.f("ck_text_message_number_is_e164")),
        sa.CheckConstraint("encoding IN ('gsm7', 'ucs2')", name=op.f("ck_text_message_encoding_known")),
        sa.CheckConstraint("parts >= 1", name=op.f("ck_text_message_parts_counted")),
        sa.CheckConstraint(
            "(price IS NULL) = (currency IS NULL)", name=op.f("ck_text_message_price_in_a_currency")
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_text_message_brand_id")),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name=op.f("fk_text_message_delivery_id")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_text_message_member_id")),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_text_message")),
        sa.UniqueConstraint("reference", name=op.f("uq_text_message_reference")),
    )
    with op.batch_alter_table("text_message", schema=None) as batch_op:
        batch_op.create_index("ix_text_message_brand", ["brand_id", "delivery_id"], unique=False)
        batch_op.create_index(
            "ix_text_message_in_doubt",
            ["delivery_id"],
            unique=False,
            sqlite_where=sa.text("in_doubt_since IS NOT NULL"),
            postgresql_where=sa.text("in_doubt_since IS NOT NULL"),
        )
        batch_op.create_index("ix_text_message_member", ["member_id", "delivery_id"], unique=False)
        batch_op.create_index("ix_text_message_number", ["number"], unique=False)
        batch_op.create_index("ix_text_message_provider", ["provider_id"], unique=False)

    op.create_table(
        "attempt",
        sa.Column("id", columns.Id, sa.Identity(always=False), nullable=False),
        sa.Column("delivery_id", columns.Id, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("started_at", columns.UtcDateTime(), nullable=False),
        sa.Column("finished_at", columns.UtcDateTime(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("provider_id", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "verdict IS NULL OR verdict IN ('accepted', 'retry', 'gone', 'refused', 'lost')",
            name=op.f("ck_attempt_verdict_known"),
        ),
        sa.CheckConstraint(
            "(verdict IS NULL) = (finished_at IS NULL)", name=op.f("ck_attempt_finished_with_verdict")
        ),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name=op.f("fk_attempt_delivery_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
    )
    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.create_index("ix_attempt_delivery", ["delivery_id", "number"], unique=False)
        batch_op.create_index(
            "uq_attempt_one_open",
            ["delivery_id"],
            unique=True,
            sqlite_where=sa.text("finished_at IS NULL"),
            postgresql_where=sa.text("finished_at IS NULL"),
        )

    op.create_table(
        "design_draft",
        sa.Column("id", columns.Id, sa.Identity(always=False), nullable=False),
        sa.Column("programme_id", columns.Id, nullable=False),
        sa.Column("base_design_id", columns.Id, nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=False),
        sa.Column("ended_at", columns.UtcDateTime(), nullable=True),
        sa.Column("ending", sa.Text(), nullable=True),
        sa.CheckConstraint("revision >= 1", name=op.f("ck_design_draft_revision_counts_from_one")),
        sa.CheckConstraint("ending IN ('published', 'discarded')", name=op.f("ck_design_draft_ending_known")),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (ending IS NULL)", name=op.f("ck_design_draft_ended_somehow")
        ),
        sa.ForeignKeyConstraint(
            ["base_design_id"], ["design.id"], name=op.f("fk_design_draft_base_design_id")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.id"], name=op.f("fk_design_draft_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_design_draft")),
    )
    with op.batch_alter_table("design_draft", schema=None) as batch_op:
        batch_op.create_index(
            "uq_design_draft_open",
            ["programme_id"],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )

    op.create_table(
        "draft_revision",
        sa.Column("draft_id", columns.Id, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("source", columns.Json, nullable=False),
        sa.Column("files", columns.Json, nullable=False),
        sa.Column("at", columns.UtcDateTime(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["draft_id"], ["design_draft.id"], name=op.f("fk_draft_revision_draft_id")),
        sa.PrimaryKeyConstraint("draft_id", "revision", name=op.f("pk_draft_revision")),
    )
    op.create_table(
        "draft_file",
        sa.Column("draft_id", columns.Id, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["draft_id"], ["design_draft.id"], name=op.f("fk_draft_file_draft_id")),
        sa.PrimaryKeyConstraint("draft_id", "digest", name=op.f("pk_draft_file")),
    )
    op.create_table(
        "rollout",
        sa.Column("id", columns.Id, sa.Identity(always=False), nullable=False),
        sa.Column("programme_id", columns.Id, nullable=False),
        sa.Column("source_design_id", columns.Id, nullable=False),
        sa.Column("target_design_id", columns.Id, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("stage", sa.Integer(), nullable=False),
        sa.Column("at_design_id", columns.Id, nullable=True),
        sa.Column("after_pass_id", sa.BigInteger(), nullable=False),
        sa.Column("started_at", columns.UtcDateTime(), nullable=False),
        sa.Column("updated_at", columns.UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "state IN ('running', 'waiting', 'stopped', 'done', 'superseded', 'going_back', 'taken_back')",
            name=op.f("ck_rollout_state_known"),
        ),
        sa.CheckConstraint("stage BETWEEN 0 AND 2", name=op.f("ck_rollout_stage_known")),
        sa.CheckConstraint("source_design_id <> target_design_id", name=op.f("ck_rollout_leads_somewhere")),
        sa.ForeignKeyConstraint(["at_design_id"], ["design.id"], name=op.f("fk_rollout_at_design_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_rollout_programme_id")),
        sa.ForeignKeyConstraint(
            ["source_design_id"], ["design.id"], name=op.f("fk_rollout_source_design_id")
        ),
        sa.ForeignKeyConstraint(
            ["target_design_id"], ["design.id"], name=op.f("fk_rollout_target_design_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rollout")),
    )
    with op.batch_alter_table("rollout", schema=None) as batch_op:
        batch_op.create_index(
            "uq_rollout_going_on",
            ["programme_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('running', 'waiting', 'stopped', 'going_back')"),
            postgresql_where=sa.text("state IN ('running', 'waiting', 'stopped', 'going_back')"),
        )
        batch_op.create_index("ix_rollout_programme", ["programme_id", "id"], unique=False)

    op.create_table(
        "test_card",
        sa.Column("pass_id", columns.Id, nullable=False),
        sa.Column("programme_id", columns.Id, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["pass_id"], ["wallet_pass.id"], name=op.f("fk_test_card_pass_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_test_card_programme_id")),
        sa.PrimaryKeyConstraint("pass_id", name=op.f("pk_test_card")),
        sa.UniqueConstraint("programme_id", "actor", name=op.f("uq_test_card_programme_id_actor")),
    )
    op.create_table(
        "announcement",
        sa.Column("id", columns.Id, sa.Identity(always=False), nullable=False),
        sa.Column("pass_id", columns.Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("text", columns.Json, nullable=False),
        sa.Column("until", columns.UtcDateTime(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("due_at", columns.UtcDateTime(), nullable=False),
        sa.Column("behind_version", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("said_at", columns.UtcDateTime(), nullable=True),
        sa.Column("ended_at", columns.UtcDateTime(), nullable=True),
        sa.Column("ending", sa.Text(), nullable=True),
        sa.CheckConstraint("name LIKE 'campaign:%'", name=op.f("ck_announcement_name_is_a_campaigns")),
        sa.CheckConstraint(
            "ending IN ('fetched', 'expired', 'cancelled')", name=op.f("ck_announcement_ending_known")
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (ending IS NULL)", name=op.f("ck_announcement_ended_somehow")
        ),
        sa.CheckConstraint(
            "(version IS NULL) = (said_at IS NULL)", name=op.f("ck_announcement_said_in_a_version")
        ),
        sa.CheckConstraint(
            "ending <> 'fetched' OR version IS NOT NULL", name=op.f("ck_announcement_fetched_was_said")
        ),
        sa.ForeignKeyConstraint(["pass_id"], ["wallet_pass.id"], name=op.f("fk_announcement_pass_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announcement")),
        sa.UniqueConstraint("pass_id", "name", name=op.f("uq_announcement_pass_id_name")),
    )
    with op.batch_alter_table("announcement", schema=None) as batch_op:
        for name, of, where in (
            ("ix_announcement_due", ["due_at", "id"], "ended_at IS NULL AND version IS NULL"),
            ("ix_announcement_waiting", ["pass_id"], "ended_at IS NULL AND version IS NULL"),
            ("ix_announcement_said", ["pass_id"], "ended_at IS NULL AND version IS NOT NULL"),
            ("ix_announcement_until", ["until"], "ended_at IS NULL AND version IS NULL"),
            ("ix_announcement_said_until", ["until"], "ended_at IS NULL AND version IS NOT NULL"),
        ):
            batch_op.create_index(
                name, of, unique=False, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
            )

    op.create_table(
        "pass_evidence",
        sa.Column("pass_id", columns.Id, nullable=False),
        sa.Column("listed_version", sa.Integer(), nullable=True),
        sa.Column("listed_at", columns.UtcDateTime(), nullable=True),
        sa.Column("retags", sa.Integer(), server_default="0", nullable=False),
        sa.Column("retagged_at", columns.UtcDateTime(), nullable=True),
        sa.Column("fetched_version", sa.Integer(), nullable=True),
        sa.Column("fetched_at", columns.UtcDateTime(), nullable=True),
        sa.Column("fetched_last_modified", columns.UtcDateTime(), nullable=True),
        sa.Column("installed_version", sa.Integer(), nullable=True),
        sa.Column("installed_at", columns.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["pass_id"], ["wallet_pass.id"], name=op.f("fk_pass_evidence_pass_id")),
        sa.PrimaryKeyConstraint("pass_id", name=op.f("pk_pass_evidence")),
    )
    with op.batch_alter_table("pass_evidence", schema=None) as batch_op:
        batch_op.create_index(
            "ix_pass_evidence_unfetched",
            ["listed_at"],
            unique=False,
            sqlite_where=sa.text(
                "listed_version > COALESCE(fetched_version, 0) AND listed_version > COALESCE(installed_version, 0) AND retags < 3"
            ),
            postgresql_where=sa.text(
                "listed_version > COALESCE(fetched_version, 0) AND listed_version > COALESCE(installed_version, 0) AND retags < 3"
            ),
        )

    op.create_table(
        "registration",
        sa.Column("device_id", columns.Id, nullable=False),
        sa.Column("pass_id", columns.Id, nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("registered_at", columns.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_registration_device_id")),
        sa.ForeignKeyConstraint(["pass_id"], ["wallet_pass.id"], name=op.f("fk_registration_pass_id")),
        sa.PrimaryKeyConstraint("device_id", "pass_id", name=op.f("pk_registration")),
    )
    with op.batch_alter_table("registration", schema=None) as batch_op:
        batch_op.create_index("ix_registration_pass", ["pass_id"], unique=False)

    op.create_table(
        "holder_change",
        sa.Column("id", columns.Id, sa.Identity(always=False), nullable=False),
        sa.Column("pass_id", columns.Id, nullable=True),
        sa.Column("device_id", columns.Id, nullable=True),
        sa.CheckConstraint("(pass_id IS NULL) <> (device_id IS NULL)", name=op.f("ck_holder_change_of_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holder_change")),
    )

    op.create_table(
        "visit",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("install_link_id", columns.Id, nullable=False),
        sa.Column("device_kind", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("form_mark", sa.Text(), nullable=True),
        sa.Column("erased_at", columns.UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "device_kind IN ('iphone', 'ipad', 'android', 'desktop', 'unknown')",
            name=op.f("ck_visit_device_known"),
        ),
        sa.ForeignKeyConstraint(
            ["install_link_id"], ["install_link.id"], name=op.f("fk_visit_install_link_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit")),
    )
    op.create_table(
        "enrolment",
        sa.Column("id", columns.Id, sa.Identity(always=False), nullable=False),
        sa.Column("member_id", columns.Id, nullable=False),
        sa.Column("programme_id", columns.Id, nullable=False),
        sa.Column("brand_id", columns.Id, nullable=False),
        sa.Column("venue_id", columns.Id, nullable=False),
        sa.Column("pass_id", columns.Id, nullable=False),
        sa.Column("visit_id", sa.Text(), nullable=True),
        sa.Column("card_code", sa.Text(), nullable=False),
        sa.Column("card_link_version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("balance", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("stamps", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tier", sa.Text(), nullable=True),
        sa.Column("tier_due_at", columns.UtcDateTime(), nullable=True),
        sa.Column("enrolled_at", columns.UtcDateTime(), nullable=False),
        sa.Column("ended_at", columns.UtcDateTime(), nullable=True),
        sa.Column("blocked_at", columns.UtcDateTime(), nullable=True),
        sa.Column("merged_into_id", columns.Id, nullable=True),
        sa.CheckConstraint("balance >= 0", name=op.f("ck_enrolment_balance_not_negative")),
        sa.CheckConstraint("stamps >= 0", name=op.f("ck_enrolment_stamps_not_negative")),
        sa.CheckConstraint(
            "merged_into_id IS NULL OR ended_at IS NOT NULL", name=op.f("ck_enrolment_merged_is_over")
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_enrolment_brand_id")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_enrolment_member_id")),
        sa.ForeignKeyConstraint(
            ["merged_into_id"], ["enrolment.id"], name=op.f("fk_enrolment_merged_into_id")
        ),
        sa.ForeignKeyConstraint(["pass_id"], ["wallet_pass.id"], name=op.f("fk_enrolment_pass_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_enrolment_programme_id")),
        sa.ForeignKeyConstraint(["venue_id"], ["venue.id"], name=op.f("fk_enrolment_venue_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_enrolment_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment")),
        sa.UniqueConstraint("card_code", name=op.f("uq_enrolment_card_code")),
        sa.UniqueConstraint("pass_id", name=op.f("uq_enrolment_pass_id")),
        sa.UniqueConstraint("visit_id", name=op.f("uq_enrolment_visit_id")),
    )
    with op.batch_alter_table("enrolment", schema=None) as batch_op:
        batch_op.create_index("ix_enrolment_member", ["member_id"], unique=False)
        batch_op.create_index("ix_enrolment_programme", ["programme_id"], unique=False)
        batch_op.create_index("ix_enrolment_venue", ["venue_id", "id"], unique=False)
        batch_op.create_index(
            "uq_enrolment_one_card",
            ["member_id", "programme_id"],
            unique=True,
            sqlite_where=sa.text("merged_into_id IS NULL"),
            postgresql_where=sa.text("merged_into_id IS NULL"),
        )
        batch_op.create_index(
            "ix_enrolment_tier_due",
            ["tier_due_at"],
            unique=False,
            sqlite_where=sa.text("tier_due_at IS NOT NULL"),
            postgresql_where=sa.text("tier_due_at IS NOT NULL"),
        )

    op.create_table(
        "returning_visit",
        sa.Column("visit_id", sa.Text(), nullable=False),
        sa.Column("enrolment_id", columns.Id, nullable=False),
        sa.Column("at", columns.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enrolment_id"], ["enrolment.id"], name=op.f("fk_returning_visit_enrolment_id")
        ),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_returning_visit_visit_id")),
        sa.PrimaryKeyConstraint("visit_id", name=op.f("pk_returning_visit")),
    )
    with op.batch_alter_table("returning_visit", schema=None) as batch_op:
        batch_op.create_index("ix_returning_visit_enrolment", ["enrolment_id"], unique=False)

    op.create_table(
        "silenced_number",
        sa.Column("brand_id", columns.Id, nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("at", columns.UtcDateTime(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.CheckConstraint("number LIKE '+%'", name=op.f("ck_silenced_number_number_is_e164")),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_silenced_number_brand_id")),
        sa.PrimaryKeyConstraint("brand_id", "number", name=op.f("pk_silenced_number")),
    )
    op.create_table(
        "phone_code",
        sa.Column("id", columns.Id, sa.Identity(always=False), nullable=False),
        sa.Column("brand_id", columns.Id, nullable=False),
        sa.Column("venue_id", columns.Id, nullable=False),
        sa.Column("visit_id", sa.Text(), nullable=True),
        sa.Column("enrolment_id", columns.Id, nullable=True),
        sa.Column("delivery_id", columns.Id, nullable=True),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("address_range", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("expires_at", columns.UtcDateTime(), nullable=False),
        sa.Column("ended_at", columns.UtcDateTime(), nullable=True),
        sa.CheckConstraint("number LIKE '+%'", name=op.f("ck_phone_code_number_is_e164")),
        sa.CheckConstraint("tries >= 0", name=op.f("ck_phone_code_tries_counted")),
        sa.CheckConstraint(
            "(visit_id IS NULL) <> (enrolment_id IS NULL)", name=op.f("ck_phone_code_one_asked")
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_phone_code_brand_id")),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name=op.f("fk_phone_code_delivery_id")),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"], name=op.f("fk_phone_code_enrolment_id")),
        sa.ForeignKeyConstraint(["venue_id"], ["venue.id"], name=op.f("fk_phone_code_venue_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_phone_code_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_code")),
    )
    with op.batch_alter_table("phone_code", schema=None) as batch_op:
        for name in ("number", "address_range", "venue_id", "brand_id"):
            batch_op.create_index(
                f"ix_phone_code_{name.removesuffix('_id')}", [name, "created_at"], unique=False
            )
        batch_op.create_index("ix_phone_code_created", ["created_at"], unique=False)
        batch_op.create_index("ix_phone_code_delivery", ["delivery_id"], unique=False)
        batch_op.create_index("ix_phone_code_enrolment", ["enrolment_id"], unique=False)
        batch_op.create_index("ix_phone_code_visit", ["visit_id"], unique=False)
        batch_op.create_index(
            "uq_phone_code_active",
            ["brand_id", "number"],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )

    op.create_table(
        "visit_event",
        sa.Column("visit_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", columns.UtcDateTime(), nullable=False),
        sa.Column("install_link_id", columns.Id, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('scan', 'page', 'in_app', 'form', 'code', 'added', 'receipt', 'again', 'active', 'removed')",
            name=op.f("ck_visit_event_kind_known"),
        ),
        sa.ForeignKeyConstraint(
            ["install_link_id"], ["install_link.id"], name=op.f("fk_visit_event_install_link_id")
        ),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_visit_event_visit_id")),
        sa.PrimaryKeyConstraint("visit_id", "kind", name=op.f("pk_visit_event")),
    )
    with op.batch_alter_table("visit_event", schema=None) as batch_op:
        batch_op.create_index("ix_visit_event_link_day", ["install_link_id", "day", "kind"], unique=False)

    op.create_table(
        "visit_tally",
        sa.Column("install_link_id", columns.Id, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("scan", sa.Integer(), server_default="0", nullable=False),
        sa.Column("page", sa.Integer(), server_default="0", nullable=False),
        sa.Column("in_app", sa.Integer(), server_default="0", nullable=False),
        sa.Column("form", sa.Integer(), server_default="0", nullable=False),
        sa.Column("code", sa.Integer(), server_default="0", nullable=False),
        sa.Column("added", sa.Integer(), server_default="0", nullable=False),
        sa.Column("receipt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("again", sa.Integer(), server_default="0", nullable=False),
        sa.Column("active", sa.Integer(), server_default="0", nullable=False),
        sa.Column("removed", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["install_link_id"], ["install_link.id"], name=op.f("fk_visit_tally_install_link_id")
        ),
        sa.PrimaryKeyConstraint("install_link_id", "day", name=op.f("pk_visit_tally")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "visit_change",
        sa.Column("id", columns.Id, sa.Identity(always=False), nullable=False),
        sa.Column("install_link_id", columns.Id, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("change", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('scan', 'page', 'in_app', 'form', 'code', 'added', 'receipt', 'again', 'active', 'removed')",
            name=op.f("ck_visit_change_kind_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit_change")),
    )

    op.create_table(
        "habit",
        sa.Column("brand_id", columns.Id, nullable=False),
        sa.Column("member_id", columns.Id, nullable=False),
        sa.Column("visits", sa.Integer(), nullable=False),
        sa.Column("receipts", sa.Integer(), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.Column("average", sa.BigInteger(), nullable=True),
        sa.Column("last_day", sa.Integer(), nullable=True),
        sa.Column(
            "recent",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("consenting", sa.Boolean(), nullable=False),
        sa.Column("texts", sa.Boolean(), nullable=False),
        sa.Column("apple", sa.Boolean(), nullable=False),
        sa.Column("google", sa.Boolean(), nullable=False),
        sa.Column("added", sa.Boolean(), nullable=False),
        sa.Column("had", sa.Boolean(), nullable=False),
        sa.Column("heard_day", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "receipts >= visits AND spent >= 0 AND (visits > 0) = (receipts > 0)"
            " AND (average IS NULL) = (visits = 0) AND (last_day IS NULL) = (visits = 0)",
            name=op.f("ck_habit_bought"),
        ),
        sa.CheckConstraint("consenting OR NOT texts", name=op.f("ck_habit_texts_by_consent")),
        sa.CheckConstraint("added OR NOT (apple OR google)", name=op.f("ck_habit_added_somewhere")),
        sa.CheckConstraint(
            "heard_day IS NULL OR (added AND NOT google)", name=op.f("ck_habit_heard_of_phones")
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_habit_brand_id")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_habit_member_id")),
        sa.PrimaryKeyConstraint("brand_id", "member_id", name=op.f("pk_habit")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("habit", schema=None) as batch_op:
        batch_op.create_index("ix_habit_average", ["brand_id", "average", "last_day"], unique=False)
        batch_op.create_index("ix_habit_spent", ["brand_id", "spent", "last_day"], unique=False)
        batch_op.create_index("ix_habit_visits", ["brand_id", "visits", "last_day"], unique=False)
        batch_op.create_index("ix_habit_last_day", ["brand_id", "last_day"], unique=False)

    op.create_table(
        "habit_venue",
        sa.Column("member_id", columns.Id, nullable=False),
        sa.Column("venue_id", columns.Id, nullable=False),
        sa.Column("last_day", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_habit_venue_member_id")),
        sa.ForeignKeyConstraint(["venue_id"], ["venue.id"], name=op.f("fk_habit_venue_venue_id")),
        sa.PrimaryKeyConstraint("member_id", "venue_id", name=op.f("pk_habit_venue")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("habit_venue", schema=None) as batch_op:
        batch_op.create_index("ix_habit_venue_day", ["venue_id", "last_day", "member_id"], unique=False)

    op.create_table(
        "habit_change",
        sa.Column("id", columns.Id, sa.Identity(always=False), nullable=False),
        sa.Column("brand_id", columns.Id, nullable=False),
        sa.Column("member_id", columns.Id, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_habit_change")),
    )

    op.create_table(
        "receipt",
        sa.Column("id", columns.Id, sa.Identity(always=False), nullable=False),
        sa.Column("venue_id", columns.Id, nullable=False),
        sa.Column("enrolment_id", columns.Id, nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("at", columns.UtcDateTime(), nullable=False),
        sa.Column("recorded_at", columns.UtcDateTime(), nullable=False),
        sa.Column("refunded_at", columns.UtcDateTime(), nullable=True),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_receipt_amount_not_negative")),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"], name=op.f("fk_receipt_enrolment_id")),
        sa.ForeignKeyConstraint(["venue_id"], ["venue.id"], name=op.f("fk_receipt_venue_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt")),
        sa.UniqueConstraint("venue_id", "number", name=op.f("uq_receipt_venue_id_number")),
    )
    with op.batch_alter_table("receipt", schema=None) as batch_op:
        batch_op.create_index("ix_receipt_enrolment_at", ["enrolment_id", "at"], unique=False)
        batch_op.create_index("ix_receipt_venue", ["venue_id", "id"], unique=False)

    op.create_table(
        "ledger_entry",
        sa.Column("id", columns.Id, sa.Identity(always=False), nullable=False),
        sa.Column("enrolment_id", columns.Id, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("stamps", sa.Integer(), server_default="0", nullable=False),
        sa.Column("venue_id", columns.Id, nullable=True),
        sa.Column("receipt_id", columns.Id, nullable=True),
        sa.Column("reverses_id", columns.Id, nullable=True),
        sa.Column("at", columns.UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "(kind NOT IN ('accrual', 'offer') OR (points >= 0 AND stamps >= 0)) AND (kind <> 'redemption' OR (points <= 0 AND stamps <= 0))",
            name=op.f("ck_ledger_entry_sign_follows_kind"),
        ),
        sa.CheckConstraint(
            "kind IN ('accrual', 'redemption', 'receipt_refund', 'redemption_refund', 'correction', 'expiry', 'import', 'offer')",
            name=op.f("ck_ledger_entry_kind_known"),
        ),
        sa.ForeignKeyConstraint(
            ["enrolment_id"], ["enrolment.id"], name=op.f("fk_ledger_entry_enrolment_id")
        ),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipt.id"], name=op.f("fk_ledger_entry_receipt_id")),
        sa.ForeignKeyConstraint(
            ["reverses_id"], ["ledger_entry.id"], name=op.f("fk_ledger_entry_reverses_id")
        ),
        sa.ForeignKeyConstraint(["venue_id"], ["venue.id"], name=op.f("fk_ledger_entry_venue_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entry")),
    )
    with op.batch_alter_table("ledger_entry", schema=None) as batch_op:
        batch_op.create_index("ix_ledger_entry_enrolment", ["enrolment_id", "id"], unique=False)
        batch_op.create_index(
            "ix_ledger_entry_moved",
            ["receipt_id"],
            unique=False,
            sqlite_where=sa.text("kind = 'correction'"),
            postgresql_where=sa.text("kind = 'correction'"),
        )
        batch_op.create_index(
            "uq_ledger_entry_accrual",
            ["receipt_id"],
            unique=True,
            sqlite_where=sa.text("kind = 'accrual'"),
            postgresql_where=sa.text("kind = 'accrual'"),
        )
        batch_op.create_index(
            "uq_ledger_entry_offer",
            ["receipt_id"],
            unique=True,
            sqlite_where=sa.text("kind = 'offer'"),
            postgresql_where=sa.text("kind = 'offer'"),
        )
        batch_op.create_index(
            "uq_ledger_entry_receipt_refund",
            ["receipt_id"],
            unique=True,
            sqlite_where=sa.text("kind = 'receipt_refund'"),
            postgresql_where=sa.text("kind = 'receipt_refund'"),
        )

    op.create_table(
        "lot",
        sa.Column("id", columns.Id, sa.Identity(always=False), nullable=False),
        sa.Column("enrolment_id", columns.Id, nullable=False),
        sa.Column("entry_id", columns.Id, nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("remaining", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", columns.UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "points > 0 AND remaining BETWEEN 0 AND points", name=op.f("ck_lot_remaining_within")
        ),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"], name=op.f("fk_lot_enrolment_id")),
        sa.ForeignKeyConstraint(["entry_id"], ["ledger_entry.id"], name=op.f("fk_lot_entry_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lot")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_lot_entry_id")),
    )
    with op.batch_alter_table("lot", schema=None) as batch_op:
        batch_op.create_index(
            "ix_lot_open",
            ["enrolment_id", "expires_at"],
            unique=False,
            sqlite_where=sa.text("remaining > 0"),
            postgresql_where=sa.text("remaining > 0"),
        )
        batch_op.create_index(
            "ix_lot_expiring",
            ["expires_at"],
            unique=False,
            sqlite_where=sa.text("remaining > 0 AND expires_at IS NOT NULL"),
            postgresql_where=sa.text("remaining > 0 AND expires_at IS NOT NULL"),
        )

    op.create_table(
        "lot_use",
        sa.Column("entry_id", columns.Id, nullable=False),
        sa.Column("lot_id", columns.Id, nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("points > 0", name=op.f("ck_lot_use_points_positive")),
        sa.ForeignKeyConstraint(["entry_id"], ["ledger_entry.id"], name=op.f("fk_lot_use_entry_id")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_lot_use_lot_id")),
        sa.PrimaryKeyConstraint("entry_id", "lot_id", name=op.f("pk_lot_use")),
    )

    op.create_table(
        "member_key",
        sa.Column("member_id", columns.Id, nullable=False),
        sa.Column("key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("brand_id", columns.Id, nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_member_key_brand_id")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_member_key_member_id")),
        sa.PrimaryKeyConstraint("member_id", "key", name=op.f("pk_member_key")),
    )
    with op.batch_alter_table("member_key", schema=None) as batch_op:
        batch_op.create_index("ix_member_key_search", ["brand_id", "key", "member_id"], unique=False)

    op.create_table(
        "card_act",
        sa.Column("id", columns.Id, sa.Identity(always=False), nullable=False),
        sa.Column("enrolment_id", columns.Id, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", columns.UtcDateTime(), nullable=False),
        sa.Column("form_key", sa.Text(), nullable=False),
        sa.Column("entry_id", columns.Id, nullable=True),
        sa.Column("former_pass_id", columns.Id, nullable=True),
        sa.Column("former_card_code", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('correction', 'block', 'unblock', 'reissue')", name=op.f("ck_card_act_kind_known")
        ),
        sa.CheckConstraint(
            "(kind = 'correction') = (entry_id IS NOT NULL)", name=op.f("ck_card_act_correction_has_entry")
        ),
        sa.CheckConstraint(
            "(kind = 'reissue') = (former_pass_id IS NOT NULL)"
            " AND (former_pass_id IS NULL) = (former_card_code IS NULL)",
            name=op.f("ck_card_act_reissue_has_former"),
        ),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"], name=op.f("fk_card_act_enrolment_id")),
        sa.ForeignKeyConstraint(["entry_id"], ["ledger_entry.id"], name=op.f("fk_card_act_entry_id")),
        sa.ForeignKeyConstraint(
            ["former_pass_id"], ["wallet_pass.id"], name=op.f("fk_card_act_former_pass_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_act")),
        sa.UniqueConstraint("former_pass_id", name=op.f("uq_card_act_former_pass_id")),
        sa.UniqueConstraint("form_key", name=op.f("uq_card_act_form_key")),
    )
    with op.batch_alter_table("card_act", schema=None) as batch_op:
        batch_op.create_index("ix_card_act_enrolment", ["enrolment_id", "id"], unique=False)
        batch_op.create_index("ix_card_act_former_code", ["former_card_code"], unique=False)
    op.create_table(
        "offer",
        sa.Column("id", columns.Id, sa.Identity(always=False), nullable=False),
        sa.Column("brand_id", columns.Id, nullable=False),
        sa.Column("programme_id", columns.Id, nullable=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name_ru", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("terms_ru", sa.Text(), nullable=False),
        sa.Column("terms_en", sa.Text(), nullable=False),
        sa.Column("gives", sa.Text(), nullable=False),
        sa.Column("worth", sa.BigInteger(), nullable=False),
        sa.Column("gift_ru", sa.Text(), nullable=True),
        sa.Column("gift_en", sa.Text(), nullable=True),
        sa.Column("minimum", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("from_at", columns.UtcDateTime(), nullable=False),
        sa.Column("until_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("ended_at", columns.UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "(gives = 'gift') = (gift_ru IS NOT NULL) AND (gift_ru IS NULL) = (gift_en IS NULL)",
            name=op.f("ck_offer_gift_is_named"),
        ),
        sa.CheckConstraint(
            "(gives = 'percent' AND worth BETWEEN 1 AND 10000) OR (gives IN ('amount', 'points') AND worth > 0) OR (gives = 'gift' AND worth = 0)",
            name=op.f("ck_offer_worth_of_its_kind"),
        ),
        sa.CheckConstraint(
            "gives IN ('percent', 'amount', 'gift', 'points')", name=op.f("ck_offer_gives_known")
        ),
        sa.CheckConstraint("minimum >= 0", name=op.f("ck_offer_minimum_not_negative")),
        sa.CheckConstraint(
            "until_at IS NULL OR until_at > from_at", name=op.f("ck_offer_begins_before_it_ends")
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_offer_brand_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_offer_programme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer")),
        sa.UniqueConstraint("brand_id", "code", name=op.f("uq_offer_brand_id_code")),
    )
    with op.batch_alter_table("offer", schema=None) as batch_op:
        batch_op.create_index("ix_offer_programme", ["programme_id"], unique=False)

    op.create_table(
        "offer_venue",
        sa.Column("offer_id", columns.Id, nullable=False),
        sa.Column("venue_id", columns.Id, nullable=False),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"], name=op.f("fk_offer_venue_offer_id")),
        sa.ForeignKeyConstraint(["venue_id"], ["venue.id"], name=op.f("fk_offer_venue_venue_id")),
        sa.PrimaryKeyConstraint("offer_id", "venue_id", name=op.f("pk_offer_venue")),
    )
    with op.batch_alter_table("offer_venue", schema=None) as batch_op:
        batch_op.create_index("ix_offer_venue_venue", ["venue_id"], unique=False)

    op.create_table(
        "offer_grant",
        sa.Column("id", columns.Id, sa.Identity(always=False), nullable=False),
        sa.Column("offer_id", columns.Id, nullable=False),
        sa.Column("member_id", columns.Id, nullable=False),
        sa.Column("enrolment_id", columns.Id, nullable=False),
        sa.Column("campaign", sa.Text(), nullable=True),
        sa.Column("granted_at", columns.UtcDateTime(), nullable=False),
        sa.Column("until_at", columns.UtcDateTime(), nullable=True),
        sa.Column("redeemed_at", columns.UtcDateTime(), nullable=True),
        sa.Column("over_at", columns.UtcDateTime(), nullable=True),
        sa.Column("over_because", sa.Text(), nullable=True),
        sa.Column("same_as_id", columns.Id, nullable=True),
        sa.CheckConstraint(
            "over_because IN ('expired', 'ended', 'revoked', 'left', 'united')",
            name=op.f("ck_offer_grant_over_known"),
        ),
        sa.CheckConstraint(
            "(over_at IS NULL) = (over_because IS NULL)", name=op.f("ck_offer_grant_over_says_why")
        ),
        sa.CheckConstraint(
            "redeemed_at IS NULL OR over_at IS NULL", name=op.f("ck_offer_grant_redeemed_or_over")
        ),
        sa.CheckConstraint(
            "same_as_id IS NULL OR redeemed_at IS NOT NULL OR over_at IS NOT NULL",
            name=op.f("ck_offer_grant_same_is_not_open"),
        ),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"], name=op.f("fk_offer_grant_enrolment_id")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_offer_grant_member_id")),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"], name=op.f("fk_offer_grant_offer_id")),
        sa.ForeignKeyConstraint(["same_as_id"], ["offer_grant.id"], name=op.f("fk_offer_grant_same_as_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer_grant")),
    )
    with op.batch_alter_table("offer_grant", schema=None) as batch_op:
        batch_op.create_index("ix_offer_grant_enrolment", ["enrolment_id", "id"], unique=False)
        batch_op.create_index("ix_offer_grant_member", ["member_id"], unique=False)
        batch_op.create_index(
            "ix_offer_grant_open",
            ["offer_id", "id"],
            unique=False,
            sqlite_where=sa.text("redeemed_at IS NULL AND over_at IS NULL"),
            postgresql_where=sa.text("redeemed_at IS NULL AND over_at IS NULL"),
        )
        batch_op.create_index("ix_offer_grant_same_as", ["same_as_id"], unique=False)
        batch_op.create_index(
            "ix_offer_grant_until",
            ["until_at"],
            unique=False,
            sqlite_where=sa.text("redeemed_at IS NULL AND over_at IS NULL"),
            postgresql_where=sa.text("redeemed_at IS NULL AND over_at IS NULL"),
        )
        batch_op.create_index(
            "uq_offer_grant_once",
            ["offer_id", "member_id"],
            unique=True,
            sqlite_where=sa.text("same_as_id IS NULL"),
            postgresql_where=sa.text("same_as_id IS NULL"),
        )

    op.create_table(
        "offer_redemption",
        sa.Column("id", columns.Id, sa.Identity(always=False), nullable=False),
        sa.Column("grant_id", columns.Id, nullable=False),
        sa.Column("receipt_id", columns.Id, nullable=False),
        sa.Column("venue_id", columns.Id, nullable=False),
        sa.Column("entry_id", columns.Id, nullable=True),
        sa.Column("discount", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", columns.UtcDateTime(), nullable=False),
        sa.Column("returned_at", columns.UtcDateTime(), nullable=True),
        sa.CheckConstraint("discount >= 0", name=op.f("ck_offer_redemption_discount_not_negative")),
        sa.ForeignKeyConstraint(["entry_id"], ["ledger_entry.id"], name=op.f("fk_offer_redemption_entry_id")),
        sa.ForeignKeyConstraint(["grant_id"], ["offer_grant.id"], name=op.f("fk_offer_redemption_grant_id")),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipt.id"], name=op.f("fk_offer_redemption_receipt_id")),
        sa.ForeignKeyConstraint(["venue_id"], ["venue.id"], name=op.f("fk_offer_redemption_venue_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer_redemption")),
        sa.UniqueConstraint("receipt_id", name=op.f("uq_offer_redemption_receipt_id")),
    )
    with op.batch_alter_table("offer_redemption", schema=None) as batch_op:
        batch_op.create_index("ix_offer_redemption_entry", ["entry_id"], unique=False)
        batch_op.create_index("ix_offer_redemption_grant", ["grant_id"], unique=False)
        batch_op.create_index("ix_offer_redemption_venue", ["venue_id"], unique=False)
        batch_op.create_index(
            "uq_offer_redemption_once",
            ["grant_id"],
            unique=True,
            sqlite_where=sa.text("returned_at IS NULL"),
            postgresql_where=sa.text("returned_at IS NULL"),
        )
    op.create_table(
        "campaign",
        sa.Column("id", columns.Id, sa.Identity(always=False), nullable=False),
        sa.Column("brand_id", columns.Id, nullable=False),
        sa.Column("offer_id", columns.Id, nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("plan", columns.Json, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("sent_by", sa.Text(), nullable=True),
        sa.Column("starts_at", columns.UtcDateTime(), nullable=True),
        sa.Column("frozen", columns.Json, nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("cursor", columns.Id, nullable=True),
        sa.Column("expanded_at", columns.UtcDateTime(), nullable=True),
        sa.Column("release_at", columns.UtcDateTime(), nullable=True),
        sa.Column("worked_at", columns.UtcDateTime(), nullable=True),
        sa.Column("settled_at", columns.UtcDateTime(), nullable=True),
        sa.Column("ends_at", columns.UtcDateTime(), nullable=True),
        sa.Column("next_reading_at", columns.UtcDateTime(), nullable=True),
        sa.Column("texts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("spent", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("stopped_because", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(state = 'stopped') = (stopped_because IS NOT NULL)",
            name=op.f("ck_campaign_stopped_for_a_reason"),
        ),
        sa.CheckConstraint("kind IN ('advertising', 'service')", name=op.f("ck_campaign_kind_known")),
        sa.CheckConstraint(
            "settled_at IS NULL OR expanded_at IS NOT NULL OR state = 'cancelled'",
            name=op.f("ck_campaign_settled_when_expanded"),
        ),
        sa.CheckConstraint(
            "state <> 'scheduled' OR starts_at IS NOT NULL", name=op.f("ck_campaign_scheduled_for_a_time")
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'scheduled', 'canary', 'running', 'paused', 'stopped', 'measuring', 'cancelled', 'done')",
            name=op.f("ck_campaign_state_known"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('canary', 'running', 'paused', 'stopped', 'measuring', 'done') OR frozen IS NOT NULL",
            name=op.f("ck_campaign_begun_is_frozen"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('draft', 'scheduled') OR frozen IS NULL",
            name=op.f("ck_campaign_not_begun_is_not_frozen"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('measuring', 'done') OR settled_at IS NOT NULL",
            name=op.f("ck_campaign_measured_when_settled"),
        ),
        sa.CheckConstraint(
            "(frozen IS NULL) = (salt IS NULL) AND (frozen IS NULL) = (cursor IS NULL) AND (frozen IS NULL) = (ends_at IS NULL)",
            name=op.f("ck_campaign_frozen_whole"),
        ),
        sa.CheckConstraint("texts >= 0 AND spent >= 0", name=op.f("ck_campaign_texts_counted")),
        sa.CheckConstraint(
            "next_reading_at IS NULL OR frozen IS NOT NULL", name=op.f("ck_campaign_read_since_begun")
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_campaign_brand_id")),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"], name=op.f("fk_campaign_offer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
        sa.UniqueConstraint("brand_id", "name", name=op.f("uq_campaign_brand_id_name")),
    )
    with op.batch_alter_table("campaign", schema=None) as batch_op:
        batch_op.create_index("ix_campaign_brand", ["brand_id", "id"], unique=False)

    with op.batch_alter_table("campaign", schema=None) as batch_op:
        batch_op.create_index("ix_campaign_state", ["state", "starts_at"], unique=False)

    with op.batch_alter_table("campaign", schema=None) as batch_op:
        batch_op.create_index(
            "ix_campaign_reading",
            ["next_reading_at"],
            unique=False,
            sqlite_where=sa.text("next_reading_at IS NOT NULL"),
            postgresql_where=sa.text("next_reading_at IS NOT NULL"),
        )

    op.create_table(
        "marketing_limits",
        sa.Column("brand_id", columns.Id, nullable=False),
        sa.Column("most", sa.Integer(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("quiet_since", sa.Text(), nullable=False),
        sa.Column("quiet_until", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "quiet_since LIKE '__:__' AND quiet_until LIKE '__:__'",
            name=op.f("ck_marketing_limits_quiet_is_hours"),
        ),
        sa.CheckConstraint(
            "most >= 1 AND days >= 1", name=op.f("ck_marketing_limits_limits_allow_something")
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_marketing_limits_brand_id")),
        sa.PrimaryKeyConstraint("brand_id", name=op.f("pk_marketing_limits")),
    )
    op.create_table(
        "campaign_reading",
        sa.Column("campaign_id", columns.Id, nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("arm", sa.Integer(), nullable=False),
        sa.Column("read_at", columns.UtcDateTime(), nullable=False),
        sa.Column("sums", columns.Json, nullable=False),
        sa.Column("removed", sa.Integer(), nullable=False),
        sa.Column("told", columns.Json, nullable=True),
        sa.CheckConstraint("day >= 1 AND arm >= 0", name=op.f("ck_campaign_reading_day_and_arm_counted")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_campaign_reading_campaign_id")
        ),
        sa.PrimaryKeyConstraint("campaign_id", "day", "arm", name=op.f("pk_campaign_reading")),
    )
    op.create_table(
        "recipient",
        sa.Column("campaign_id", columns.Id, nullable=False),
        sa.Column("member_id", columns.Id, nullable=False),
        sa.Column("arm", sa.Integer(), nullable=True),
        sa.Column("canary", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("because", sa.Text(), nullable=True),
        sa.Column("pass_id", columns.Id, nullable=True),
        sa.Column("google", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("assigned_at", columns.UtcDateTime(), nullable=False),
        sa.Column("contact_at", columns.UtcDateTime(), nullable=True),
        sa.Column("look_at", columns.UtcDateTime(), nullable=True),
        sa.Column("deadline_at", columns.UtcDateTime(), nullable=True),
        sa.Column("accepted_at", columns.UtcDateTime(), nullable=True),
        sa.Column("reached_at", columns.UtcDateTime(), nullable=True),
        sa.Column("delivery_id", columns.Id, nullable=True),
        sa.Column("text_parts", sa.Integer(), nullable=True),
        sa.Column("text_price", sa.BigInteger(), nullable=True),
        sa.Column("text_currency", sa.Text(), nullable=True),
        sa.Column("settled_at", columns.UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "(state = 'held_out') = (arm IS NOT NULL AND arm = 0)",
            name=op.f("ck_recipient_held_out_is_the_holdout"),
        ),
        sa.CheckConstraint(
            "(state IN ('held_back', 'unreached', 'text_failed')) = (because IS NOT NULL)",
            name=op.f("ck_recipient_told_why"),
        ),
        sa.CheckConstraint(
            "(state IN ('said', 'texting')) = (look_at IS NOT NULL)",
            name=op.f("ck_recipient_looked_at_until_over"),
        ),
        sa.CheckConstraint(
            "(state IN ('waiting', 'said', 'texting')) = (settled_at IS NULL)",
            name=op.f("ck_recipient_settled_when_over"),
        ),
        sa.CheckConstraint(
            "arm IS NOT NULL OR state = 'held_back'", name=op.f("ck_recipient_assigned_or_held_back")
        ),
        sa.CheckConstraint(
            "state <> 'reached' OR reached_at IS NOT NULL", name=op.f("ck_recipient_reached_at_a_moment")
        ),
        sa.CheckConstraint(
            "state <> 'said' OR pass_id IS NOT NULL", name=op.f("ck_recipient_said_by_a_card")
        ),
        sa.CheckConstraint(
            "state <> 'waiting' OR contact_at IS NOT NULL", name=op.f("ck_recipient_waits_for_a_moment")
        ),
        sa.CheckConstraint(
            "state IN ('held_out', 'held_back', 'waiting', 'said', 'texting', 'reached', 'google_accepted', 'text_accepted', 'text_delivered', 'text_failed', 'unreached', 'cancelled')",
            name=op.f("ck_recipient_state_known"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('texting', 'text_accepted', 'text_delivered', 'text_failed') OR delivery_id IS NOT NULL",
            name=op.f("ck_recipient_texted_by_a_delivery"),
        ),
        sa.CheckConstraint(
            "(text_price IS NULL) = (text_currency IS NULL)", name=op.f("ck_recipient_price_in_a_currency")
        ),
        sa.CheckConstraint("arm >= 0", name=op.f("ck_recipient_arm_counted")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_recipient_campaign_id")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_recipient_member_id")),
        sa.ForeignKeyConstraint(["pass_id"], ["wallet_pass.id"], name=op.f("fk_recipient_pass_id")),
        sa.PrimaryKeyConstraint("campaign_id", "member_id", name=op.f("pk_recipient")),
        sa.UniqueConstraint("delivery_id", name=op.f("uq_recipient_delivery_id")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("recipient", schema=None) as batch_op:
        batch_op.create_index(
            "ix_recipient_look",
            ["campaign_id", "look_at", "member_id"],
            unique=False,
            sqlite_where=sa.text("look_at IS NOT NULL"),
            postgresql_where=sa.text("look_at IS NOT NULL"),
        )

    with op.batch_alter_table("recipient", schema=None) as batch_op:
        batch_op.create_index("ix_recipient_member", ["member_id", "contact_at"], unique=False)

    with op.batch_alter_table("recipient", schema=None) as batch_op:
        batch_op.create_index(
            "ix_recipient_waiting",
            ["campaign_id", "contact_at", "member_id"],
            unique=False,
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )


def downgrade() -> None:
    op.drop_table("campaign_reading")
    with op.batch_alter_table("recipient", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_recipient_look",
            sqlite_where=sa.text("look_at IS NOT NULL"),
            postgresql_where=sa.text("look_at IS NOT NULL"),
        )
        batch_op.drop_index("ix_recipient_member")
        batch_op.drop_index(
            "ix_recipient_waiting",
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )

    op.drop_table("recipient")
    op.drop_table("marketing_limits")
    with op.batch_alter_table("campaign", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_campaign_reading",
            sqlite_where=sa.text("next_reading_at IS NOT NULL"),
            postgresql_where=sa.text("next_reading_at IS NOT NULL"),
        )
        batch_op.drop_index("ix_campaign_brand")
        batch_op.drop_index("ix_campaign_state")

    op.drop_table("campaign")
    with op.batch_alter_table("offer_redemption", schema=None) as batch_op:
        batch_op.drop_index("ix_offer_redemption_entry")
        batch_op.drop_index("ix_offer_redemption_grant")
        batch_op.drop_index("ix_offer_redemption_venue")
        batch_op.drop_index(
            "uq_offer_redemption_once",
            sqlite_where=sa.text("returned_at IS NULL"),
            postgresql_where=sa.text("returned_at IS NULL"),
        )

    op.drop_table("offer_redemption")
    with op.batch_alter_table("offer_grant", schema=None) as batch_op:
        batch_op.drop_index("ix_offer_grant_enrolment")
        batch_op.drop_index("ix_offer_grant_member")
        batch_op.drop_index(
            "ix_offer_grant_open",
            sqlite_where=sa.text("redeemed_at IS NULL AND over_at IS NULL"),
            postgresql_where=sa.text("redeemed_at IS NULL AND over_at IS NULL"),
        )
        batch_op.drop_index("ix_offer_grant_same_as")
        batch_op.drop_index(
            "ix_offer_grant_until",
            sqlite_where=sa.text("redeemed_at IS NULL AND over_at IS NULL"),
            postgresql_where=sa.text("redeemed_at IS NULL AND over_at IS NULL"),
        )
        batch_op.drop_index(
            "uq_offer_grant_once",
            sqlite_where=sa.text("same_as_id IS NULL"),
            postgresql_where=sa.text("same_as_id IS NULL"),
        )

    op.drop_table("offer_grant")
    with op.batch_alter_table("offer_venue", schema=None) as batch_op:
        batch_op.drop_index("ix_offer_venue_venue")

    op.drop_table("offer_venue")
    with op.batch_alter_table("offer", schema=None) as batch_op:
        batch_op.drop_index("ix_offer_programme")

    op.drop_table("offer")
    op.drop_table("test_card")
    with op.batch_alter_table("rollout", schema=None) as batch_op:
        batch_op.drop_index("ix_rollout_programme")
        batch_op.drop_index(
            "uq_rollout_going_on",
            sqlite_where=sa.text("state IN ('running', 'waiting', 'stopped', 'going_back')"),
            postgresql_where=sa.text("state IN ('running', 'waiting', 'stopped', 'going_back')"),
        )

    op.drop_table("rollout")
    op.drop_table("draft_file")
    op.drop_table("draft_revision")
    with op.batch_alter_table("design_draft", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_design_draft_open",
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )

    op.drop_table("design_draft")
    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.drop_index("ix_invitation_brand")

    op.drop_table("invitation")
    with op.batch_alter_table("user_session", schema=None) as batch_op:
        batch_op.drop_index("ix_user_session_user")
        batch_op.drop_index("ix_user_session_expires")

    op.drop_table("user_session")
    with op.batch_alter_table("user_venue", schema=None) as batch_op:
        batch_op.drop_index("ix_user_venue_venue")

    op.drop_table("user_venue")
    with op.batch_alter_table("user_access", schema=None) as batch_op:
        batch_op.drop_index("ix_user_access_brand")

    op.drop_table("user_access")
    op.drop_table("user_account")
    op.drop_table("card_act")
    op.drop_table("member_key")
    op.drop_table("lot_use")
    with op.batch_alter_table("lot", schema=None) as batch_op:
        batch_op.drop_index("ix_lot_expiring")
        batch_op.drop_index(
            "ix_lot_open", sqlite_where=sa.text("remaining > 0"), postgresql_where=sa.text("remaining > 0")
        )

    op.drop_table("lot")
    with op.batch_alter_table("ledger_entry", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_ledger_entry_receipt_refund",
            sqlite_where=sa.text("kind = 'receipt_refund'"),
            postgresql_where=sa.text("kind = 'receipt_refund'"),
        )
        batch_op.drop_index(
            "uq_ledger_entry_offer",
            sqlite_where=sa.text("kind = 'offer'"),
            postgresql_where=sa.text("kind = 'offer'"),
        )
        batch_op.drop_index(
            "uq_ledger_entry_accrual",
            sqlite_where=sa.text("kind = 'accrual'"),
            postgresql_where=sa.text("kind = 'accrual'"),
        )
        batch_op.drop_index(
            "ix_ledger_entry_moved",
            sqlite_where=sa.text("kind = 'correction'"),
            postgresql_where=sa.text("kind = 'correction'"),
        )
        batch_op.drop_index("ix_ledger_entry_enrolment")

    op.drop_table("ledger_entry")
    with op.batch_alter_table("receipt", schema=None) as batch_op:
        batch_op.drop_index("ix_receipt_venue")
        batch_op.drop_index("ix_receipt_enrolment_at")

    op.drop_table("receipt")
    with op.batch_alter_table("visit_event", schema=None) as batch_op:
        batch_op.drop_index("ix_visit_event_link_day")

    op.drop_table("habit_change")
    op.drop_table("habit_venue")
    op.drop_table("habit")
    op.drop_table("visit_change")
    op.drop_table("visit_tally")
    op.drop_table("visit_event")
    with op.batch_alter_table("enrolment", schema=None) as batch_op:
        batch_op.drop_index("ix_enrolment_tier_due")
        batch_op.drop_index("ix_enrolment_programme")
        batch_op.drop_index("ix_enrolment_member")
        batch_op.drop_index(
            "uq_enrolment_one_card",
            sqlite_where=sa.text("merged_into_id IS NULL"),
            postgresql_where=sa.text("merged_into_id IS NULL"),
        )

    op.drop_table("phone_code")
    op.drop_table("silenced_number")
    op.drop_table("returning_visit")
    op.drop_table("enrolment")
    op.drop_table("visit")
    with op.batch_alter_table("registration", schema=None) as batch_op:
        batch_op.drop_index("ix_registration_pass")

    op.drop_table("holder_change")
    op.drop_table("registration")
    with op.batch_alter_table("pass_evidence", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_pass_evidence_unfetched",
            sqlite_where=sa.text(
                "listed_version > COALESCE(fetched_version, 0) AND listed_version > COALESCE(installed_version, 0) AND retags < 3"
            ),
            postgresql_where=sa.text(
                "listed_version > COALESCE(fetched_version, 0) AND listed_version > COALESCE(installed_version, 0) AND retags < 3"
            ),
        )

    op.drop_table("pass_evidence")
    op.drop_table("announcement")
    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_attempt_one_open",
            sqlite_where=sa.text("finished_at IS NULL"),
            postgresql_where=sa.text("finished_at IS NULL"),
        )
        batch_op.drop_index("ix_attempt_delivery")

    op.drop_table("attempt")

    op.drop_table("text_message")
    with op.batch_alter_table("google_notification", schema=None) as batch_op:
        batch_op.drop_index("ix_google_notification_object")

    op.drop_table("google_notification")
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_delivery_one_sending",
            sqlite_where=sa.text("state = 'sending'"),
            postgresql_where=sa.text("state = 'sending'"),
        )
        batch_op.drop_index(
            "uq_delivery_one_pending",
            sqlite_where=sa.text("state = 'pending'"),
            postgresql_where=sa.text("state = 'pending'"),
        )
        batch_op.drop_index(
            "ix_delivery_lease",
            sqlite_where=sa.text("state = 'sending'"),
            postgresql_where=sa.text("state = 'sending'"),
        )
        batch_op.drop_index(
            "ix_delivery_due",
            sqlite_where=sa.text("state = 'pending'"),
            postgresql_where=sa.text("state = 'pending'"),
        )
        batch_op.drop_index("ix_delivery_device")
        batch_op.drop_index(
            "ix_delivery_code",
            sqlite_where=sa.text("kind = 'code'"),
            postgresql_where=sa.text("kind = 'code'"),
        )
        batch_op.drop_index(
            "ix_delivery_ask",
            sqlite_where=sa.text("ask_at IS NOT NULL"),
            postgresql_where=sa.text("ask_at IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_delivery_accepted_text",
            sqlite_where=sa.text("state = 'accepted' AND login IS NOT NULL"),
            postgresql_where=sa.text("state = 'accepted' AND login IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_delivery_due_google",
            sqlite_where=sa.text("state = 'pending' AND issuer_id IS NOT NULL"),
            postgresql_where=sa.text("state = 'pending' AND issuer_id IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_delivery_google_object",
            sqlite_where=sa.text("google_object_id IS NOT NULL"),
            postgresql_where=sa.text("google_object_id IS NOT NULL"),
        )
        batch_op.drop_index(
            "uq_delivery_one_pending_object",
            sqlite_where=sa.text("state = 'pending' AND google_object_id IS NOT NULL"),
            postgresql_where=sa.text("state = 'pending' AND google_object_id IS NOT NULL"),
        )
        batch_op.drop_index(
            "uq_delivery_one_sending_object",
            sqlite_where=sa.text("state = 'sending' AND google_object_id IS NOT NULL"),
            postgresql_where=sa.text("state = 'sending' AND google_object_id IS NOT NULL"),
        )
        batch_op.drop_index(
            "uq_delivery_one_pending_class",
            sqlite_where=sa.text("state = 'pending' AND google_class_id IS NOT NULL"),
            postgresql_where=sa.text("state = 'pending' AND google_class_id IS NOT NULL"),
        )
        batch_op.drop_index(
            "uq_delivery_one_sending_class",
            sqlite_where=sa.text("state = 'sending' AND google_class_id IS NOT NULL"),
            postgresql_where=sa.text("state = 'sending' AND google_class_id IS NOT NULL"),
        )

    op.drop_table("delivery")
    op.drop_table("google_object")
    op.drop_table("google_class")
    op.drop_table("google_image")
    op.drop_table("google_callback")
    op.drop_table("google_account")
    with op.batch_alter_table("wallet_pass", schema=None) as batch_op:
        batch_op.drop_index("ix_wallet_pass_design")

    op.drop_table("wallet_pass")
    with op.batch_alter_table("install_link", schema=None) as batch_op:
        batch_op.drop_index("ix_install_link_venue")
        batch_op.drop_index("ix_install_link_brand")

    op.drop_table("install_link")
    op.drop_table("design_file")
    with op.batch_alter_table("till_call", schema=None) as batch_op:
        batch_op.drop_index("ix_till_call_at")

    op.drop_table("till_call")
    op.drop_table("staff_member")
    with op.batch_alter_table("point_of_sale_key", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_point_of_sale_key_living_name",
            sqlite_where=sa.text("expires_at IS NULL"),
            postgresql_where=sa.text("expires_at IS NULL"),
        )
        batch_op.drop_index("ix_point_of_sale_key_venue")

    op.drop_table("point_of_sale_key")
    op.drop_table("placement")
    op.drop_table("design")
    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.drop_index("ix_consent_member")

    op.drop_table("consent")
    op.drop_table("sending_pace")
    op.drop_table("venue")
    op.drop_table("push_budget")
    op.drop_table("programme")
    with op.batch_alter_table("member", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_member_phone",
            sqlite_where=sa.text("phone IS NOT NULL"),
            postgresql_where=sa.text("phone IS NOT NULL"),
        )
        batch_op.drop_index("ix_member_brand")

    op.drop_table("member")
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_entry_brand_at")

    op.drop_table("audit_entry")
    op.drop_table("tag_counter")
    op.drop_table("job")
    with op.batch_alter_table("device_log", schema=None) as batch_op:
        batch_op.drop_index("ix_device_log_at")

    op.drop_table("device_log")
    op.drop_table("evidence_watermark")
    op.drop_table("key_fingerprint")
    op.drop_table("device")
    op.drop_table("breaker")
    op.drop_table("certificate_request")
    with op.batch_alter_table("stored_certificate", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_stored_certificate_in_use",
            sqlite_where=sa.text("replaced_at IS NULL"),
            postgresql_where=sa.text("replaced_at IS NULL"),
        )

    op.drop_table("stored_certificate")
    op.drop_table("brand")
