import { runProgram } from "./lib/bootstrap.mjs";

await runProgram("build-examples/main.ts");
