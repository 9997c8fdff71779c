import { runProgram } from "../scripts/lib/bootstrap.mjs";

await runProgram("../bench/main.ts");
