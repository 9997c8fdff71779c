import { runProgram } from "./lib/bootstrap.mjs";

await runProgram("build/main.ts");
