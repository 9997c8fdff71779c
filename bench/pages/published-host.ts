import { hostName } from "../contenders/host.ts";

/** The contender that the pages are about: the host as it is by default. */
export const PUBLISHED_HOST: string = hostName("auto");
