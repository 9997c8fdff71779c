import { runProgram } from "./lib/bootstrap.mjs";

await runProgram("test/main.ts", "0 passed, 1 failed");
