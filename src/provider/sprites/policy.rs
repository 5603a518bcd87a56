//! The policies of a sandbox (section 2.8).

use super::api;
use super::client::{Client, path};
use crate::error::Result;
use crate::model::{Name, NetworkRule, PrivilegesPolicy, ResourcesPolicy};
use crate::provider::policies::Policies;
use crate::transport::{Method, Request};
use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The policies of a sandbox.
pub(super) struct SpritesPolicies {
    pub(super) client: Client,
    pub(super) name: Name,
}

impl SpritesPolicies {
    fn path(&self, kind: &str) -> String {
        path(&self.name, &format!("/policy/{kind}"))
    }

    async fn get<T: DeserializeOwned>(&self, kind: &str) -> Result<T> {
        self.client.get(&format!("read the {kind} policy"), &self.path(kind)).await
    }

    /// Replaces a policy. The same once more changes nothing, so it may be sent again.
    async fn put(&self, kind: &str, policy: Option<impl Serialize>) -> Result<()> {
        let what = format!("set the {kind} policy");
        let body =
            policy.map(|policy| serde_json::to_value(policy)).transpose().map_err(crate::error::Error::internal)?;
        let make = || match &body {
            Some(body) => Request::new(Method::POST, self.path(kind)).json(body),
            None => Request::delete(self.path(kind)),
        };
        self.client.repeat(&what, &make).await.map(|_| ())
    }
}

#[async_trait]
impl Policies for SpritesPolicies {
    async fn network(&self) -> Result<Vec<NetworkRule>> {
        let policy: api::NetworkPolicy = self.get("network").await?;
        let rules = policy.rules.into_iter();
        Ok(rules.map(|rule| NetworkRule { domain: rule.domain, action: rule.action, include: rule.include }).collect())
    }

    async fn set_network(&self, rules: &[NetworkRule]) -> Result<()> {
        let rules = rules.iter().cloned();
        let rules =
            rules.map(|rule| api::NetworkRule { domain: rule.domain, action: rule.action, include: rule.include });
        self.put("network", Some(api::NetworkPolicy { rules: rules.collect() })).await
    }

    async fn privileges(&self) -> Result<PrivilegesPolicy> {
        let policy: api::PrivilegesPolicy = self.get("privileges").await?;
        Ok(PrivilegesPolicy {
            profile: Some(policy.profile).filter(|profile| !profile.is_empty()),
            devices: policy.devices,
            no_new_privileges: policy.no_new_privileges,
        })
    }

    async fn set_privileges(&self, policy: Option<&PrivilegesPolicy>) -> Result<()> {
        let policy = policy.map(|policy| api::PrivilegesPolicy {
            profile: policy.profile.clone().unwrap_or_default(),
            devices: policy.devices.clone(),
            no_new_privileges: policy.no_new_privileges,
        });
        self.put("privileges", policy).await
    }

    async fn resources(&self) -> Result<ResourcesPolicy> {
        let memory = self.get::<api::ResourcesPolicy>("resources").await?.memory.unwrap_or_default();
        Ok(ResourcesPolicy { memory_bytes: memory.limit_mb.map(|limit| limit << 20), memory_grows: memory.autoscale })
    }

    async fn set_resources(&self, policy: Option<&ResourcesPolicy>) -> Result<()> {
        let policy = policy.map(|policy| api::ResourcesPolicy {
            memory: Some(api::MemoryPolicy {
                limit_mb: policy.memory_bytes.map(|bytes| bytes.div_ceil(1 << 20)),
                autoscale: policy.memory_grows,
            }),
        });
        self.put("resources", policy).await
    }
}
