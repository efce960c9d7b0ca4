/**
 * Every migration, in order, embedded in the executable as text. Forward only: what is here has shipped and
 * stays as it is; a change is a new file with the next number. The state they lead to is `schema.sql`.
 */

/// <reference path="./sql.d.ts" />
import foundation from "./0001-foundation.sql" with { type: "text" };
import manyNodes from "./0002-many-nodes.sql" with { type: "text" };
import frontDoor from "./0003-front-door.sql" with { type: "text" };
import visits from "./0004-visits.sql" with { type: "text" };
import tokenParameters from "./0005-token-parameters.sql" with { type: "text" };
import heldVisits from "./0006-held-visits.sql" with { type: "text" };
import signInMarks from "./0007-sign-in-marks.sql" with { type: "text" };
import sweptVisits from "./0008-swept-visits.sql" with { type: "text" };
import oidcInTheChain from "./0009-oidc-in-the-chain.sql" with { type: "text" };
import strangerEnds from "./0010-stranger-ends.sql" with { type: "text" };
import secondFactorsOfQvd4 from "./0011-second-factors-of-qvd-4.sql" with { type: "text" };

export type Migration = { readonly number: number; readonly name: string; readonly text: string };

export const MIGRATIONS: readonly Migration[] = [
  { number: 1, name: "foundation", text: foundation },
  { number: 2, name: "many-nodes", text: manyNodes },
  { number: 3, name: "front-door", text: frontDoor },
  { number: 4, name: "visits", text: visits },
  { number: 5, name: "token-parameters", text: tokenParameters },
  { number: 6, name: "held-visits", text: heldVisits },
  { number: 7, name: "sign-in-marks", text: signInMarks },
  { number: 8, name: "swept-visits", text: sweptVisits },
  { number: 9, name: "oidc-in-the-chain", text: oidcInTheChain },
  { number: 10, name: "stranger-ends", text: strangerEnds },
  { number: 11, name: "second-factors-of-qvd-4", text: secondFactorsOfQvd4 },
];
