/**
 * The runner with an audit: it checks every instance that it has put back, and ends with an error where one is not as
 * it was at first. Says so once it has checked one.
 *
 * @module
 */

import process from "node:process";
import { startRunner } from "../../src/runner/runner.ts";
import { AUDIT_AT_WORK, BitAudit } from "./bit-audit.ts";

class ReportingAudit extends BitAudit {
  override checkRestored(...args: Parameters<BitAudit["checkRestored"]>): void {
    super.checkRestored(...args);
    if (this.restores === 1) console.error(AUDIT_AT_WORK);
  }
}

startRunner(process.argv[2], new ReportingAudit());
