import { describeHypervisor } from "../../src/hypervisor/contract.ts";
import { createDesktopLab } from "../support/desktop-lab.ts";

/** A machine that is emulated needs more. */
const patienceMs = Number(process.env.QVD_TEST_PATIENCE_MS ?? 15_000);

describeHypervisor("lxc", async () => ({ ...(await createDesktopLab("hvc", "10.232.0.0/24")), patienceMs }));
