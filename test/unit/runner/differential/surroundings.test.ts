import { WASIShim } from "@bytecodealliance/preview2-shim/instantiation";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectAgreement, openRunner } from "./sides.ts";
import { PROPERTY_TIME_MS } from "../../../harness/property.ts";

const EMPTY = new WASIShim({ sandbox: { env: {}, args: [], preopens: {}, enableNetwork: false } }).getImportObject();

describe("a guest's surroundings", () => {
  it("are without environment, arguments and directories, as in an empty sandbox of the shim's", () => {
    const { environment, preopens } = openRunner().wasi;
    expect(environment.getEnvironment()).toEqual(EMPTY["wasi:cli/environment"].getEnvironment());
    expect(environment.getArguments()).toEqual(EMPTY["wasi:cli/environment"].getArguments());
    expect(preopens.getDirectories()).toEqual(EMPTY["wasi:filesystem/preopens"].getDirectories());
    expectAgreement(({ wasi }) => [
      wasi.environment.getEnvironment(),
      wasi.environment.getArguments(),
      wasi.preopens.getDirectories(),
    ]);
  });

  it("have no terminal", () => {
    expectAgreement(({ wasi }) => [
      wasi.terminalStdin.getTerminalStdin(),
      wasi.terminalStdout.getTerminalStdout(),
      wasi.terminalStderr.getTerminalStderr(),
    ]);
  });

  it.each(["ok", "err"] as const)("end with an exit (%s), which does not return", (tag) => {
    expectAgreement((side) => side.attempt(() => side.wasi.exit.exit({ tag, val: undefined })));
  });

  it("have a network that opens no socket and looks up no name, only the error differs", () => {
    expectAgreement((side) => {
      const network = side.take(() => side.wasi.instanceNetwork.instanceNetwork());
      return [
        side.attempt(() => network),
        side.attempt(() => side.wasi.tcp.createTcpSocket("ipv4")).kind,
        side.attempt(() => side.wasi.udp.createUdpSocket("ipv6")).kind,
        side.attempt(() => side.wasi.lookup.resolveAddresses(network, "localhost")).kind,
      ];
    });
  });
});

describe("random numbers", () => {
  it("are as many bytes as were asked for", () => {
    fc.assert(
      fc.property(fc.oneof(fc.constant(0n), fc.bigInt({ min: 0n, max: 100_000n })), (length) => {
        expectAgreement(({ wasi }) =>
          [wasi.random.getRandomBytes(length), wasi.insecure.getInsecureRandomBytes(length)].map((bytes) => [
            bytes instanceof Uint8Array,
            bytes.length,
          ]),
        );
      }),
      { interruptAfterTimeLimit: PROPERTY_TIME_MS },
    );
  });

  it("are 64 bits without a sign, and not the same twice", () => {
    expectAgreement(({ wasi }) => {
      const numbers = [
        wasi.random.getRandomU64(),
        wasi.random.getRandomU64(),
        wasi.insecure.getInsecureRandomU64(),
        wasi.insecure.getInsecureRandomU64(),
        ...wasi.insecureSeed.insecureSeed(),
      ];
      const inRange = numbers.map((number) => BigInt.asUintN(64, number) === number);
      return [inRange, new Set(numbers).size, numbers.some((number) => number >= 2n ** 32n)];
    });
  });

  it.each([-1n, 2n ** 64n, 2n ** 64n - 1n])("trap where %s bytes are asked for", (length) => {
    expectAgreement((side) => [
      side.attempt(() => side.wasi.random.getRandomBytes(length)),
      side.attempt(() => side.wasi.insecure.getInsecureRandomBytes(length)),
    ]);
  });
});
