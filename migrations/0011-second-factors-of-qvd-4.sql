-- Second factors that users bring from QVD 4: administrators write what auth has sealed, for users alone.
GRANT INSERT (user_id, sealed_secret, last_step) ON second_factors TO qvd_admin;
