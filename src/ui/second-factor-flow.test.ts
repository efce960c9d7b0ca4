import { describe, expect, test } from "bun:test";
import {
  confirmSecondFactor,
  proveForSecondFactor,
  type SecondFactorProof,
  type SecondFactorReply,
} from "./second-factor-flow.ts";

function asker(reply: SecondFactorReply, proofs: SecondFactorProof[] = []) {
  return {
    ask: async (_kind: string, proof: SecondFactorProof) => {
      proofs.push(proof);
      return reply;
    },
    confirm: async () => reply,
  };
}

describe("a form of the second factor", () => {
  test("sends a code only when one was typed", async () => {
    const proofs: SecondFactorProof[] = [];
    const ask = asker({ outcome: "denied" }, proofs);
    await proveForSecondFactor(ask, "begin-enrolment", { password: "secret", code: "" });
    await proveForSecondFactor(ask, "remove-second-factor", { password: "secret", code: "123456" });
    expect(proofs.map(({ secondFactor }) => secondFactor)).toEqual([undefined, "123456"]);
  });

  const CASES = [
    [{ outcome: "enrolment-begun", secret: "AB", uri: "otpauth://totp/x", ticket: "t" }, "set-up"],
    [{ outcome: "codes-renewed", recoveryCodes: ["a"] }, "codes"],
    [{ outcome: "removed" }, "said"],
    [{ outcome: "denied" }, "said"],
    [{ outcome: "refused", text: "Not today." }, "said"],
  ] as const;
  for (const [reply, kind] of CASES)
    test(`shows ${kind} after ${reply.outcome}`, async () => {
      const next = await proveForSecondFactor(asker(reply), "begin-enrolment", {});
      expect(next.kind).toBe(kind);
    });

  test("repeats auth's own words, and has some where it has none", async () => {
    const said = async (reply: SecondFactorReply) => {
      const next = await proveForSecondFactor(asker(reply), "renew-recovery-codes", {});
      return next.kind === "said" ? next.said : undefined;
    };
    expect(await said({ outcome: "busy", text: "Later." })).toEqual({ tone: "bad", text: "Later." });
    expect((await said({ outcome: "denied" }))?.text).toContain("was not right");
  });

  test("keeps the key on the page when its first code was wrong", async () => {
    const uri = "otpauth://totp/QVD:a?secret=ABCDEFGH&issuer=QVD";
    const fields = { "set-up": "ticket", "set-up-uri": uri, code: "1" };
    const next = await confirmSecondFactor(asker({ outcome: "denied" }), fields);
    expect(next).toMatchObject({ kind: "set-up", setUp: { secret: "ABCDEFGH", ticket: "ticket" } });
  });
});
