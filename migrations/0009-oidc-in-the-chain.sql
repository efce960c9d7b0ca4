-- The word `oidc` in a tenant's chain decides who may sign in at the provider; before, whoever had an issuer could. Where
-- an issuer is set and no chain has the word, it is put where it keeps what people could do: the site's tail for the
-- site's provider, the tenant's own chain for a tenant's. A site that has the word somewhere knows of it, and is left.
DO $$
DECLARE
  tenant record;
  chain jsonb;
BEGIN
  IF EXISTS (SELECT 1 FROM settings WHERE value ? 'oidc'
      AND name IN ('l7r.auth.plugins.head', 'l7r.auth.plugins', 'l7r.auth.plugins.tail')) THEN RETURN; END IF;
  IF EXISTS (SELECT 1 FROM settings WHERE tenant_id = -1 AND name = 'auth.oidc.issuer' AND value <> '""') THEN
    -- What is in the tail unless somebody says otherwise.
    INSERT INTO settings (tenant_id, name, value) VALUES (-1, 'l7r.auth.plugins.tail', '["default", "oidc"]')
      ON CONFLICT (tenant_id, name) DO UPDATE SET value = settings.value || '["oidc"]', changed_at = qvd_now();
    INSERT INTO audit_log (tenant_id, actor, action, subject_kind, subject_name, detail)
      SELECT tenant_id, 'system:upgrade', 'setting.change-site', 'setting', name, jsonb_build_object('value', value)
        FROM settings WHERE tenant_id = -1 AND name = 'l7r.auth.plugins.tail';
    RETURN;
  END IF;
  FOR tenant IN SELECT t.id, t.name FROM settings s JOIN tenants t ON t.id = s.tenant_id
      WHERE s.tenant_id <> -1 AND s.name = 'auth.oidc.issuer' AND s.value <> '""' LOOP
    -- A chain of the tenant's goes over the site's, so it begins as that.
    SELECT value INTO chain FROM settings
      WHERE name = 'l7r.auth.plugins' AND tenant_id IN (-1, tenant.id) ORDER BY tenant_id DESC LIMIT 1;
    chain := coalesce(chain, '[]') || '["oidc"]';
    INSERT INTO settings (tenant_id, name, value) VALUES (tenant.id, 'l7r.auth.plugins', chain)
      ON CONFLICT (tenant_id, name) DO UPDATE SET value = excluded.value, changed_at = qvd_now();
    INSERT INTO audit_log (tenant_id, actor, action, subject_kind, subject_name, detail)
      VALUES (tenant.id, 'system:upgrade', 'setting.change', 'setting', 'l7r.auth.plugins',
        jsonb_build_object('tenant', tenant.name, 'value', chain));
  END LOOP;
END $$;
