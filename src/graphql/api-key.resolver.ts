import { Arg, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { ApiKey } from '../identity/api-key.ts';
import type { CreatedApiKey } from '../identity/api-key.service.ts';
import { AllowedTo } from './allowed-to.ts';
import { ApiKeyType, CreateApiKeyInput, CreatedApiKeyType, RoleEnum, roleName, roleOf } from './api-key.type.ts';
import type { RequestContext } from './context.ts';

@Resolver(() => ApiKeyType)
export class ApiKeyResolver {
  @AllowedTo('admin')
  @Query(() => [ApiKeyType], { nullable: true, description: 'Every key of the workspace, newest first.' })
  apiKeys(@Ctx() { services }: RequestContext): Promise<ApiKey[]> {
    return services.apiKeys.list();
  }

  @FieldResolver(() => RoleEnum, { description: 'Role of the key.' })
  role(@Root() { role }: ApiKey): keyof typeof RoleEnum {
    return roleName(role);
  }

  @AllowedTo('admin')
  @Mutation(() => CreatedApiKeyType, { nullable: true, description: 'Creates an API key.' })
  createApiKey(
    @Arg('input', () => CreateApiKeyInput, { description: 'The API key.' }) input: CreateApiKeyInput,
    @Ctx() { services }: RequestContext,
  ): Promise<CreatedApiKey> {
    const { name, role, expiresAt } = input;
    return services.apiKeys.create({ name, role: roleOf(role ?? RoleEnum.VIEWER), expiresAt: expiresAt ?? null });
  }

  @AllowedTo('admin')
  @Mutation(() => ApiKeyType, {
    nullable: true,
    description: 'Revokes a key. It is refused within a minute, and its subscriptions end.',
  })
  revokeApiKey(
    @Arg('id', () => ID, { description: 'Identifier of the key.' }) id: string,
    @Ctx() { services }: RequestContext,
  ): Promise<ApiKey> {
    return services.apiKeys.revoke(id);
  }
}
