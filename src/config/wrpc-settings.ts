/**
 * `wrpc:` of a consumer file: the plugins that callers reach over wRPC. Without it, none is.
 *
 * @module
 */

import { isIP } from "node:net";
import { resolve } from "node:path";
import { z } from "zod";
import type { ListenAddress, WrpcSettings, WrpcTcpSettings } from "../contract/wrpc-settings.ts";
import { MAX_PORT } from "../policy/allowed-host.ts";
import { pluginNameSchema, refuseRepetition } from "./field-schemas.ts";
import { wrpcNatsSchema } from "./wrpc-nats-schema.ts";

const LISTEN_ADVICE = "write an IP address and a port, such as 127.0.0.1:7761 or [::1]:7761";
const PLUGINS_ADVICE = "write a list of one or more plugins, each with name and listen";
const FILE_ADVICE = "write the path of a PEM file, relative to this file";
const LOOPBACK_ADVICE =
  "without tls, callers are not authenticated: write a loopback address, such as 127.0.0.1, or write tls";

const fileSchema = (description: string): z.ZodString =>
  z
    .string({ error: FILE_ADVICE })
    .regex(/^[^\0\r\n]{1,4096}$/, { error: FILE_ADVICE })
    .meta({ description });

const pluginSchema = z.strictObject(
  {
    name: pluginNameSchema("A plugin of the group."),
    listen: z
      .string({ error: LISTEN_ADVICE })
      .refine((text) => parseAddress(text) !== undefined, { error: LISTEN_ADVICE })
      .meta({
        description:
          "Where its callers connect: an IP address and a port. Of the loopback interface, unless tls is set.",
        examples: ["127.0.0.1:7761", "[::1]:7761"],
      }),
  },
  { error: PLUGINS_ADVICE },
);

const tlsSchema = z.strictObject(
  {
    certFile: fileSchema("The certificate that callers see, with its intermediate certificates (PEM)."),
    keyFile: fileSchema("Its private key (PEM)."),
    clientCaFile: fileSchema("The authorities whose certificates callers must have (PEM)."),
  },
  { error: "write certFile, keyFile and clientCaFile" },
);

const tcpSchema = z
  .strictObject(
    {
      plugins: z
        .array(pluginSchema, { error: PLUGINS_ADVICE })
        .min(1, { error: PLUGINS_ADVICE })
        .superRefine(
          refuseRepetition(
            ({ name }) => name,
            (index) => [index, "name"],
          ),
        )
        .superRefine((plugins, context) => {
          // Port 0 is another port each time.
          const fixed = plugins.map(({ listen }, index) => (listen.endsWith(":0") ? String(index) : listen));
          refuseRepetition<string>(
            (listen) => listen,
            (index) => [index, "listen"],
          )(fixed, context);
        })
        .meta({ description: "The plugins that are served, each on an address of its own. No other plugin is." }),
      tls: tlsSchema.optional().meta({
        description: "TLS with certificates on both sides. Without it, only loopback addresses are allowed.",
      }),
    },
    { error: "write `plugins:`" },
  )
  .superRefine(({ plugins, tls }, context) => {
    if (tls !== undefined) return;
    for (const [index, { listen }] of plugins.entries()) {
      const address = parseAddress(listen);
      if (address !== undefined && !isLoopback(address.host))
        context.addIssue({ code: "custom", path: ["plugins", index, "listen"], message: LOOPBACK_ADVICE });
    }
  });

/** The shape of `wrpc:`. */
export const wrpcSchema = z
  .strictObject(
    { tcp: tcpSchema.optional().meta({ description: "Calls over TCP." }), nats: wrpcNatsSchema.optional() },
    { error: "write `tcp:`, `nats:` or both" },
  )
  .meta({ description: "Plugins that callers reach over wRPC, beside NATS. Without it, none is." });

/** The settings that the file's fields mean. `folder` is the file's. */
export function wrpcSettingsOf(fields: z.infer<typeof wrpcSchema> | undefined, folder: string): WrpcSettings {
  const { tcp, nats } = fields ?? {};
  return {
    tcp: tcp === undefined ? undefined : tcpSettingsOf(tcp, folder),
    nats: nats === undefined ? undefined : { prefix: nats.prefix, plugins: new Set(nats.plugins) },
  };
}

function tcpSettingsOf(tcp: z.infer<typeof tcpSchema>, folder: string): WrpcTcpSettings {
  const plugins = new Map(
    tcp.plugins.flatMap(({ name, listen }) => {
      const address = parseAddress(listen);
      return address === undefined ? [] : [[name, address] as const];
    }),
  );
  const { tls } = tcp;
  return {
    plugins,
    tls:
      tls === undefined
        ? undefined
        : {
            certFile: resolve(folder, tls.certFile),
            keyFile: resolve(folder, tls.keyFile),
            clientCaFile: resolve(folder, tls.clientCaFile),
          },
  };
}

/** `host:port`, an IPv6 address in brackets. */
function parseAddress(text: string): ListenAddress | undefined {
  const [, bracketed, plain, digits = ""] = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain ?? "";
  const port = Number(digits);
  if (isIP(host) !== (bracketed === undefined ? 4 : 6) || port > MAX_PORT) return undefined;
  return { host, port };
}

/** An address in another spelling counts as one of another interface: it needs TLS, which is safe. */
function isLoopback(host: string): boolean {
  return host.startsWith("127.") || host === "::1";
}
