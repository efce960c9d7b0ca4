import { hashPassword } from "../../auth/password.ts";
import { listAdministrators } from "../../db/queries/administrators.ts";
import { findTenantByName } from "../../db/queries/tenants.ts";
import { asId, type TenantId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { createAdministrator } from "../../service/administrator/create.ts";
import { flag, positional, textOption } from "../admin/arguments.ts";
import { chooseNewPassword, GENERATE_OPTION } from "../admin/read-password.ts";
import type { Command } from "../command.ts";
import { asRescue } from "../rescue.ts";

const SITE_ITSELF = asId<TenantId>(0);

export const administratorCreate: Command = {
  name: "administrator create",
  summary: "Create an administrator, as root of this box.",
  positionals: ["LOGIN"],
  options: {
    tenant: {
      type: "text",
      value: "TENANT",
      doc: "Administrator of that tenant alone; default: of the whole site.",
    },
    ...GENERATE_OPTION,
    first: { type: "flag", doc: "Only where the site has no administrator yet, for installers." },
  },
  details:
    "For the first administrator of a site, and for a site that locked itself out; it goes to the database directly. The password is prompted for on a terminal, else read from stdin.",
  examples: ["qvd administrator create admin --generate", "qvd administrator create ann --tenant acme"],
  async run(io, args) {
    const login = positional(args, 0, "LOGIN");
    const tenantName = textOption(args, "tenant");
    const isGenerated = flag(args, "generate");
    const isFirst = flag(args, "first");
    if (isFirst && tenantName !== undefined)
      throw new AppError("bad-input", "creating an administrator: --first and --tenant exclude each other");
    await asRescue(io, "qvd administrator create", async (context) => {
      if (isFirst && (await listAdministrators(context.db, { tenantId: SITE_ITSELF })).length > 0)
        throw new AppError("conflict", "the site has an administrator already");
      const tenant = tenantName === undefined ? undefined : await findTenantByName(context.db, tenantName);
      if (tenantName !== undefined && tenant === undefined) {
        throw new AppError("not-found", `there is no tenant ${tenantName}: \`qvd tenant create\` makes one`);
      }
      const password = await chooseNewPassword(io, login, isGenerated);
      const { administratorId } = await createAdministrator(
        context,
        { hashPassword },
        { login, password, ...(tenant === undefined ? {} : { tenantId: tenant.id }) },
      );
      const where = tenant === undefined ? "the site" : `tenant ${tenant.name}`;
      io.err(`created administrator ${login} (id ${administratorId}) of ${where}\n`);
      if (isGenerated) io.out(`${password}\n`);
    });
    return 0;
  },
};
