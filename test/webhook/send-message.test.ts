import { describe, expect, it } from 'vitest';
import { MessageSender } from '../../src/webhook/send-message.ts';

describe('a message', () => {
  it.each(['127.0.0.1', '[::1]', '169.254.169.254', '10.0.0.1', '[::ffff:127.0.0.1]'])(
    'is never sent to %s',
    async (host) => {
      const sender = new MessageSender();
      const sent = sender.send({ id: 'a', url: `https://${host}/`, secrets: ['whsec_AAAA'], body: '{}' }, new Date());
      expect(await sent).toMatchObject({ status: null, text: expect.stringContaining('not a public') as string });
      await sender.close();
    },
  );
});
