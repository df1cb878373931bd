//! Why an instance cannot take over what had another name, and what its owner can do about it.

use crate::live::Object;
use crate::model::{Notice, ObjectKey};

pub(super) fn two_volumes(own: &Object<'_>, old: &Object<'_>) -> Box<Notice> {
    let message = format!(
        "{} is there as well: which of the two volumes is right, nobody knows, and both stay",
        old.key()
    );
    let mut notice = Notice::on(own.key(), "HeirHasVolume", message);
    notice.allow = Some(
        "delete the claim that is wrong, by hand, once you are sure; or take the annotation away"
            .to_owned(),
    );
    Box::new(notice)
}

pub(super) fn no_volume(claim: ObjectKey, why: &str) -> Box<Notice> {
    let message = format!("it is to be taken over, but {why}");
    let mut notice = Notice::on(claim, "HeirloomUnknown", message);
    notice.allow = Some(
        "capture pods, persistentvolumes and persistentvolumeclaims with the snapshot; volumes and \
         configs of earlier instances, if any, must go by hand"
            .to_owned(),
    );
    Box::new(notice)
}

pub(super) fn no_height(claim: ObjectKey) -> Box<Notice> {
    let message =
        "it is to be taken over, but neither its height is known nor what ran on it: the \
                   first of chain.versions may not read its volume"
            .to_owned();
    let mut notice = Notice::on(claim, "HeirHeightUnknown", message);
    notice.allow = Some(
        "give the CosmosFullNode of an earlier snapshot, whose status tells the heights, beside \
         this one; or name the instance's image in instanceOverrides"
            .to_owned(),
    );
    Box::new(notice)
}

pub(super) fn disabled(claim: ObjectKey) -> Box<Notice> {
    let message =
        "its instance is to be taken over, but its heir is disabled: what is there stays \
                   as it is"
            .to_owned();
    let mut notice = Notice::on(claim, "HeirDisabled", message);
    notice.allow = Some("disable it once it has moved".to_owned());
    Box::new(notice)
}

pub(super) fn in_use(claim: &Object<'_>, pod: &Object<'_>, former: &str) -> Box<Notice> {
    let name = &pod.meta.name;
    let message = format!(
        "it is to be taken over, but Pod {name} mounts it, which is none of {former}'s: its volume \
         would go under that pod"
    );
    let mut notice = Notice::on(claim.key(), "HeirloomInUse", message);
    notice.allow = Some(format!(
        "delete Pod {name}, if it is not needed; or, if it is the fleet's, give it back the labels \
         that tell so"
    ));
    Box::new(notice)
}
