import type { Driver, Statements } from './driver.ts';
import type { Prisma, PrismaClient } from './generated/client.ts';
import type { ReadRows } from './server-reader.ts';

/** Longest transaction, and longest wait for its start: storing a large result is one transaction. */
const TRANSACTION_TIMEOUT_MS = 15 * 60_000;

/** Statements of the owner of the tables. @param readRows reads outside transactions instead of Prisma */
export function prismaDriver(prisma: PrismaClient, readRows?: ReadRows): Driver {
  return {
    ...statementsOf(prisma),
    ...(readRows ? { read: readRows } : {}),
    transaction: (work) =>
      prisma.$transaction(async (client) => work(statementsOf(client)), {
        timeout: TRANSACTION_TIMEOUT_MS,
        maxWait: TRANSACTION_TIMEOUT_MS,
      }),
  };
}

function statementsOf(client: Prisma.TransactionClient): Statements {
  return {
    read: (statement) => client.$queryRaw<unknown[]>(statement),
    execute: (statement) => client.$executeRaw(statement),
    foreign: (sql, values) => client.$queryRawUnsafe<object[]>(sql, ...values),
  };
}
