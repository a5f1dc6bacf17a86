"""The first tables

Revision 0001, after .
"""

import sqlalchemy as sa
from alembic import op


revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table('organization',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('slug', sa.String(), nullable=False),
    sa.Column('did', sa.String(), nullable=False),
    sa.Column('name_sv', sa.String(), nullable=False),
    sa.Column('name_en', sa.String(), nullable=False),
    sa.Column('organization_number', sa.String(), nullable=True),
    sa.Column('country', sa.String(), nullable=False),
    sa.Column('url', sa.String(), nullable=True),
    sa.Column('email', sa.String(), nullable=True),
    sa.Column('image', sa.String(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_organization')),
    sa.UniqueConstraint('did', name=op.f('uq_organization_did')),
    sa.UniqueConstraint('organization_number', name=op.f('uq_organization_organization_number')),
    sa.UniqueConstraint('slug', name=op.f('uq_organization_slug'))
    )
    op.create_table('service',
    sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('public_url', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_service'))
    )
    op.create_table('api_token',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('secret_sha256', sa.String(), nullable=False),
    sa.Column('organization_id', sa.String(), nullable=True),
    sa.Column('label', sa.String(), nullable=False),
    sa.Column('permissions', sa.JSON(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_api_token_organization_id_organization')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_api_token'))
    )
    op.create_index(op.f('ix_api_token_organization_id'), 'api_token', ['organization_id'], unique=False)
    op.create_table('audit_entry',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('organization_id', sa.String(), nullable=True),
    sa.Column('actor', sa.String(), nullable=False),
    sa.Column('action', sa.String(), nullable=False),
    sa.Column('subject', sa.String(), nullable=False),
    sa.Column('details', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_audit_entry_organization_id_organization')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_entry'))
    )
    op.create_index(op.f('ix_audit_entry_organization_id'), 'audit_entry', ['organization_id'], unique=False)
    op.create_table('definition',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('organization_id', sa.String(), nullable=False),
    sa.Column('code', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_definition_organization_id_organization')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_definition')),
    sa.UniqueConstraint('organization_id', 'code', name=op.f('uq_definition_organization_id_code'))
    )
    op.create_table('idempotency_key',
    sa.Column('organization_id', sa.String(), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('request_sha256', sa.String(), nullable=False),
    sa.Column('award_id', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_idempotency_key_organization_id_organization')),
    sa.PrimaryKeyConstraint('organization_id', 'key', name=op.f('pk_idempotency_key'))
    )
    op.create_table('signing_key',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('organization_id', sa.String(), nullable=False),
    sa.Column('algorithm', sa.String(), nullable=False),
    sa.Column('multikey', sa.String(), nullable=False),
    sa.Column('verification_method', sa.String(), nullable=False),
    sa.Column('uri', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('active_from', sa.DateTime(timezone=True), nullable=False),
    sa.Column('active_until', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_signing_key_organization_id_organization')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_signing_key')),
    sa.UniqueConstraint('multikey', name=op.f('uq_signing_key_multikey')),
    sa.UniqueConstraint('uri', name=op.f('uq_signing_key_uri')),
    sa.UniqueConstraint('verification_method', name=op.f('uq_signing_key_verification_method'))
    )
    op.create_index(op.f('ix_signing_key_organization_id'), 'signing_key', ['organization_id'], unique=False)
    op.create_table('status_list',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('organization_id', sa.String(), nullable=False),
    sa.Column('purpose', sa.String(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('url', sa.String(), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('used', sa.Integer(), nullable=False),
    sa.Column('permutation_key', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_status_list_organization_id_organization')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_status_list')),
    sa.UniqueConstraint('organization_id', 'purpose', 'number', name=op.f('uq_status_list_organization_id_purpose_number')),
    sa.UniqueConstraint('url', name=op.f('uq_status_list_url'))
    )
    op.create_table('definition_version',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('definition_id', sa.String(), nullable=False),
    sa.Column('version', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('source', sa.String(), nullable=False),
    sa.Column('authorised_issuers', sa.JSON(), nullable=False),
    sa.Column('title_sv', sa.String(), nullable=False),
    sa.Column('title_en', sa.String(), nullable=True),
    sa.Column('document', sa.LargeBinary(), nullable=True),
    sa.Column('document_url', sa.String(), nullable=True),
    sa.Column('digest_sri', sa.String(), nullable=True),
    sa.Column('publication', sa.LargeBinary(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['definition_id'], ['definition.id'], name=op.f('fk_definition_version_definition_id_definition')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_definition_version')),
    sa.UniqueConstraint('definition_id', 'version', name=op.f('uq_definition_version_definition_id_version')),
    sa.UniqueConstraint('document_url', name=op.f('uq_definition_version_document_url'))
    )
    op.create_index(op.f('ix_definition_version_state'), 'definition_version', ['state'], unique=False)
    op.create_table('status_publication',
    sa.Column('status_list_id', sa.String(), nullable=False),
    sa.Column('bits', sa.LargeBinary(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('body', sa.LargeBinary(), nullable=False),
    sa.Column('body_jwt', sa.LargeBinary(), nullable=False),
    sa.Column('valid_from', sa.DateTime(timezone=True), nullable=False),
    sa.Column('valid_until', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['status_list_id'], ['status_list.id'], name=op.f('fk_status_publication_status_list_id_status_list')),
    sa.PrimaryKeyConstraint('status_list_id', name=op.f('pk_status_publication'))
    )
    op.create_table('achievement',
    sa.Column('definition_version_id', sa.String(), nullable=False),
    sa.Column('language', sa.String(), nullable=False),
    sa.Column('url', sa.String(), nullable=False),
    sa.Column('body', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['definition_version_id'], ['definition_version.id'], name=op.f('fk_achievement_definition_version_id_definition_version')),
    sa.PrimaryKeyConstraint('definition_version_id', 'language', name=op.f('pk_achievement')),
    sa.UniqueConstraint('url', name=op.f('uq_achievement_url'))
    )
    op.create_table('award',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('organization_id', sa.String(), nullable=False),
    sa.Column('definition_version_id', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('reason', sa.String(), nullable=True),
    sa.Column('holder_id', sa.String(), nullable=False),
    sa.Column('holder_name', sa.String(), nullable=True),
    sa.Column('external_reference', sa.String(), nullable=True),
    sa.Column('assessed_on', sa.Date(), nullable=False),
    sa.Column('issued_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('valid_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('status_list_id', sa.String(), nullable=False),
    sa.Column('status_index', sa.Integer(), nullable=False),
    sa.Column('status_changed_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['definition_version_id'], ['definition_version.id'], name=op.f('fk_award_definition_version_id_definition_version')),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_award_organization_id_organization')),
    sa.ForeignKeyConstraint(['status_list_id'], ['status_list.id'], name=op.f('fk_award_status_list_id_status_list')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_award')),
    sa.UniqueConstraint('status_list_id', 'status_index', name=op.f('uq_award_status_list_id_status_index'))
    )
    op.create_index(op.f('ix_award_definition_version_id'), 'award', ['definition_version_id'], unique=False)
    op.create_index(op.f('ix_award_issued_at'), 'award', ['issued_at'], unique=False)
    op.create_index(op.f('ix_award_organization_id'), 'award', ['organization_id'], unique=False)
    op.create_index('uq_award_external_reference', 'award', ['organization_id', 'external_reference'], unique=True, sqlite_where=sa.text("state != 'revoked'"), postgresql_where=sa.text("state != 'revoked'"))
    op.create_table('representation',
    sa.Column('award_id', sa.String(), nullable=False),
    sa.Column('language', sa.String(), nullable=False),
    sa.Column('format', sa.String(), nullable=False),
    sa.Column('credential_id', sa.String(), nullable=False),
    sa.Column('media_type', sa.String(), nullable=False),
    sa.Column('body', sa.LargeBinary(), nullable=False),
    sa.Column('sha256', sa.String(), nullable=False),
    sa.Column('verification_method', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['award_id'], ['award.id'], name=op.f('fk_representation_award_id_award')),
    sa.PrimaryKeyConstraint('award_id', 'language', 'format', name=op.f('pk_representation'))
    )
    op.create_index(op.f('ix_representation_credential_id'), 'representation', ['credential_id'], unique=False)


def downgrade() -> None:
    """Undo."""
    op.drop_index(op.f('ix_representation_credential_id'), table_name='representation')
    op.drop_table('representation')
    op.drop_index('uq_award_external_reference', table_name='award', sqlite_where=sa.text("state != 'revoked'"), postgresql_where=sa.text("state != 'revoked'"))
    op.drop_index(op.f('ix_award_organization_id'), table_name='award')
    op.drop_index(op.f('ix_award_issued_at'), table_name='award')
    op.drop_index(op.f('ix_award_definition_version_id'), table_name='award')
    op.drop_table('award')
    op.drop_table('achievement')
    op.drop_table('status_publication')
    op.drop_index(op.f('ix_definition_version_state'), table_name='definition_version')
    op.drop_table('definition_version')
    op.drop_table('status_list')
    op.drop_index(op.f('ix_signing_key_organization_id'), table_name='signing_key')
    op.drop_table('signing_key')
    op.drop_table('idempotency_key')
    op.drop_table('definition')
    op.drop_index(op.f('ix_audit_entry_organization_id'), table_name='audit_entry')
    op.drop_table('audit_entry')
    op.drop_index(op.f('ix_api_token_organization_id'), table_name='api_token')
    op.drop_table('api_token')
    op.drop_table('service')
    op.drop_table('organization')
