import { runProgram } from "./lib/bootstrap.mjs";

await runProgram("start/main.ts");
