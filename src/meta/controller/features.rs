//! UpdateFeatures (key 57): raises or lowers finalized feature levels, all of a request's or none
//! (KIP-584, KIP-1022).

use super::{ApiError, Context, Outcome};
use crate::meta::{
    features::{self, Feature, KRAFT_VERSION, METADATA_VERSION},
    image::MetadataImage,
};
use protocol::ErrorCode;
use protocol::messages::{
    UpdateFeaturesRequest, UpdateFeaturesResponse, update_features_request::FeatureUpdateKey,
    update_features_response::UpdatableFeatureResult,
};
use protocol::metadata_records::{FeatureLevelRecord, MetadataRecord};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum UpgradeType {
    Upgrade,
    SafeDowngrade,
    UnsafeDowngrade,
}

impl UpgradeType {
    /// Version 0 of the request has a flag; later ones a code.
    fn of(update: &FeatureUpdateKey, version: i16) -> Option<Self> {
        match (version, update.allow_downgrade, update.upgrade_type) {
            (0, true, _) => Some(Self::SafeDowngrade),
            (0, false, _) => Some(Self::Upgrade),
            (_, _, 1) => Some(Self::Upgrade),
            (_, _, 2) => Some(Self::SafeDowngrade),
            (_, _, 3) => Some(Self::UnsafeDowngrade),
            _ => None,
        }
    }
}

pub fn handle(
    context: &Context<'_>,
    request: &UpdateFeaturesRequest,
    version: i16,
) -> Outcome<UpdateFeaturesResponse> {
    let mut records: Vec<MetadataRecord> = Vec::new();
    for update in &request.feature_updates {
        match update_feature(context, update, version) {
            Ok(record) => records.extend(record.map(MetadataRecord::from)),
            Err(error) => {
                let reason = error.message.as_deref().unwrap_or_default();
                let message = format!(
                    "The update failed for all features since the following feature had an error: \
                     {reason}"
                );
                return Outcome::only(refused(&ApiError::new(error.code, message)));
            }
        }
    }
    if request.validate_only {
        records.clear();
    }
    // From version 2 on, success is told once for all (KIP-1022).
    let per_feature = request.feature_updates.iter().filter(|_| version <= 1);
    let results = per_feature.map(|update| UpdatableFeatureResult {
        feature: update.feature.clone(),
        error_code: ErrorCode::None.code(),
        error_message: None,
    });
    let response = UpdateFeaturesResponse {
        error_message: None,
        results: results.collect(),
        ..Default::default()
    };
    Outcome::of(records, response)
}

pub fn refused(error: &ApiError) -> UpdateFeaturesResponse {
    UpdateFeaturesResponse {
        error_code: error.code.code(),
        error_message: error.message.clone(),
        ..Default::default()
    }
}

fn update_feature(
    context: &Context<'_>,
    update: &FeatureUpdateKey,
    version: i16,
) -> Result<Option<FeatureLevelRecord>, ApiError> {
    let (name, level) = (&*update.feature, update.max_version_level);
    let refuse = |reason: &str| {
        let message = format!("Invalid update version {level} for feature {name}. {reason}");
        Err(ApiError::new(ErrorCode::InvalidUpdateVersion, message))
    };
    let Some(upgrade_type) = UpgradeType::of(update, version) else {
        return refuse("The controller does not support the given upgrade type.");
    };
    let current = context.image.feature_level(name);
    if level < 0 {
        return refuse("A feature version cannot be less than 0.");
    }
    if let Err(reason) = check_supported(context, name, level) {
        return refuse(&reason);
    }
    if level < current && upgrade_type == UpgradeType::Upgrade {
        return refuse(
            "Can't downgrade the version of this feature without setting the upgrade type to \
             either safe or unsafe \
             downgrade.",
        );
    }
    if level > current && upgrade_type != UpgradeType::Upgrade {
        return refuse("Can't downgrade to a newer version.");
    }
    match name {
        METADATA_VERSION => check_metadata_downgrade(current, level, upgrade_type)?,
        KRAFT_VERSION if level < current => {
            return refuse("Can't downgrade the version of this feature.");
        }
        KRAFT_VERSION if level > current => {
            // The voters would have to be written into the log; clusters formatted here have them
            // there from the start.
            return refuse("This controller does not support raising kraft.version.");
        }
        KRAFT_VERSION => return Ok(None),
        _ => {}
    }
    Ok(Some(FeatureLevelRecord { name: name.to_owned(), feature_level: level }))
}

fn check_metadata_downgrade(
    current: i16,
    level: i16,
    upgrade_type: UpgradeType,
) -> Result<(), ApiError> {
    if !features::downgrade_loses_metadata(current, level) {
        return Ok(());
    }
    let reason = match upgrade_type {
        UpgradeType::UnsafeDowngrade => {
            "Unsafe metadata downgrade is not supported in this version."
        }
        _ => {
            "Refusing to perform the requested downgrade because it might delete metadata \
             information."
        }
    };
    let message =
        format!("Unsupported metadata.version downgrade from {current} to {level}. {reason}");
    Err(ApiError::new(ErrorCode::InvalidUpdateVersion, message))
}

/// Err: which node does not support the level.
fn check_supported(context: &Context<'_>, name: &str, level: i16) -> Result<(), String> {
    let check = |who: String, (min, max): (i16, i16)| {
        if (min..=max).contains(&level) {
            Ok(())
        } else if max == 0 {
            Err(format!("{who} does not support this feature."))
        } else {
            Err(format!("{who} only supports versions {min}-{max}"))
        }
    };
    let local = features::feature(name).map_or((0, 0), Feature::range);
    check(format!("Local controller {}", context.settings.node_id), local)?;
    for (who, range) in registered_ranges(context.image, name, context.settings.node_id) {
        check(who, range)?;
    }
    Ok(())
}

/// What the other nodes have registered: their name, least and greatest level.
fn registered_ranges<'a>(
    image: &'a MetadataImage,
    name: &'a str,
    local_controller: i32,
) -> impl Iterator<Item = (String, (i16, i16))> + 'a {
    let brokers = image.brokers.values().map(move |broker| {
        let feature = broker.0.features.iter().find(|feature| feature.name == name);
        let range = feature.map_or((0, 0), |feature| {
            (feature.min_supported_version, feature.max_supported_version)
        });
        (format!("Broker {}", broker.0.broker_id), range)
    });
    let others = image
        .controllers
        .values()
        .filter(move |controller| controller.controller_id != local_controller);
    let controllers = others.map(move |controller| {
        let feature = controller.features.iter().find(|feature| feature.name == name);
        let range = feature.map_or((0, 0), |feature| {
            (feature.min_supported_version, feature.max_supported_version)
        });
        (format!("Controller {}", controller.controller_id), range)
    });
    brokers.chain(controllers)
}
