/** Tokens that stand for a user who proved themselves: `/qvd/create_auth_token`. */

import type { SettingSpec } from "./spec.ts";

export const TOKEN_SETTINGS = {
  "auth.token.lifetime": {
    group: "tokens",
    scope: "tenant",
    kind: "number",
    default: 86_400,
    least: 60,
    most: 30 * 86_400,
    unit: "seconds",
    label: "Lifetime",
    doc: "How long a token is good that a client or portal asks for, and the most that it may ask for. Changing it leaves those that there are; they are revoked on their user's page.",
  },
} as const satisfies Record<string, SettingSpec>;
