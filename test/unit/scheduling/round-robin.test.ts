import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RoundRobin, RoundRobinMember } from "../../../src/scheduling/round-robin.ts";
import { PROPERTY_TIME_MS } from "../../harness/property.ts";

class Player extends RoundRobinMember {
  readonly name: string;

  constructor(name: string) {
    super();
    this.name = name;
  }
}

function players(...names: string[]): {
  round: RoundRobin<Player>;
  members: Player[];
  play: (turns: number) => string;
} {
  const round = new RoundRobin<Player>();
  const members = names.map((name) => new Player(name));
  for (const member of members) round.join(member);
  const play = (turns: number): string => {
    let played = "";
    for (let turn = 0; turn < turns; turn += 1) played += round.next()?.name ?? "-";
    return played;
  };
  return { round, members, play };
}

describe("members of a round robin", () => {
  test("have turns one after the other", () => {
    const { round, play } = players("a", "b", "c");
    round.beginRound(Number.POSITIVE_INFINITY);
    expect(play(7)).toBe("abcabca");
    round.endRound();
    round.beginRound(Number.POSITIVE_INFINITY);
    expect(play(3)).toBe("bca");
  });

  test("have no more turns in a round than it gives each", () => {
    const { round, play } = players("a", "b");
    round.beginRound(2);
    expect(play(6)).toBe("abab--");
    round.endRound();
    round.beginRound(1);
    expect(play(3)).toBe("ab-");
  });

  test("that pass are the first ones of the next round, and those who had all of theirs are the last", () => {
    const { round, members, play } = players("a", "b", "c", "d");
    const [a] = members;
    round.beginRound(1);
    expect(play(1)).toBe("a");
    round.pass(a as Player);
    expect(play(2)).toBe("bc");
    expect(play(2)).toBe("d-");
    round.endRound();
    round.beginRound(1);
    expect(play(5)).toBe("abcd-");
  });

  test("that pass keep their places before those who could have had more turns", () => {
    const { round, members, play } = players("a", "b", "c");
    round.beginRound(9);
    expect(play(1)).toBe("a");
    round.pass(members[0] as Player);
    expect(play(1)).toBe("b");
    round.endRound();
    round.beginRound(9);
    expect(play(3)).toBe("acb");
  });

  test("that leave have no turns, wherever they stand, and may join again", () => {
    const { round, members, play } = players("a", "b", "c");
    const [, b] = members;
    round.beginRound(9);
    expect(play(1)).toBe("a");
    round.leave(b as Player);
    expect(play(3)).toBe("cac");
    expect(round.size).toBe(2);
    round.endRound();
    round.join(b as Player);
    round.beginRound(9);
    expect(play(4)).toBe("acba");
  });
});

test("nobody has two turns more than another one who could have had them, in any round", () => {
  const rounds = fc.array(
    fc.record({
      turnsEach: fc.integer({ min: 1, max: 5 }),
      turns: fc.nat({ max: 20 }),
      passes: fc.array(fc.nat(), { maxLength: 3 }),
    }),
    { maxLength: 20 },
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), rounds, (count, all) => {
      const { round, members } = players(...Array.from({ length: count }, (_, index) => String(index)));
      for (const { turnsEach, turns, passes } of all) {
        const had = new Map(members.map((member) => [member, 0]));
        const passed = new Set<Player>();
        round.beginRound(turnsEach);
        for (let turn = 0; turn < turns; turn += 1) {
          const member = round.next();
          const able = members.filter((other) => !passed.has(other));
          if (member === undefined) {
            expect(able.every((other) => had.get(other) === turnsEach)).toBe(true);
            break;
          }
          expect(passed.has(member)).toBe(false);
          if (passes.includes(turn)) {
            passed.add(member);
            round.pass(member);
            continue;
          }
          had.set(member, (had.get(member) ?? 0) + 1);
          const counts = able.map((other) => had.get(other) ?? 0);
          expect(had.get(member)).toBeLessThanOrEqual(Math.min(turnsEach, Math.min(...counts) + 1));
        }
        round.endRound();
        expect(round.size).toBe(count);
      }
    }),
    { numRuns: 300, interruptAfterTimeLimit: PROPERTY_TIME_MS },
  );
});
