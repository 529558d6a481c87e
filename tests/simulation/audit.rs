//! The last word: after an end and a start of the broker, everything is read once more, from the
//! first offset to the last.

use crate::{
    admin,
    client::{Client, Lost},
    cluster::ClusterId,
    commits, committed, configs,
    model::PartitionKey,
    reader::{self, Cursor},
    run::Run,
};
use ring::Ring;
use std::rc::Rc;

pub async fn work(run: Rc<Run>, ring: Ring, cluster: ClusterId) {
    let mut client = Client::new(&run, &ring, cluster, "audit".to_owned());
    while !run.is_over() {
        if admin::check_metadata(&mut client).await.is_ok()
            && configs::check(&mut client).await.is_ok()
        {
            break;
        }
    }
    let partitions = run.model.borrow().live_partitions(cluster);
    for key in partitions.into_iter().filter(|key| run.victim.get() != Some(*key)) {
        while !run.is_over() && read_all(&mut client, key).await.is_err() {}
    }
    if run.plan.transactors > 0 {
        committed::audit(&mut client).await;
    }
    while !run.is_over() && commits::check_all(&mut client).await.is_err() {}
}

async fn read_all(client: &mut Client, key: PartitionKey) -> Result<(), Lost> {
    let run = client.run.clone();
    let mut cursor = [Cursor::new(key)];
    reader::find_start(client, &mut cursor[0]).await?;
    while !run.is_over() && !cursor[0].is_at_end() {
        reader::fetch(client, &mut cursor).await?;
    }
    let model = run.model.borrow();
    let all_begin_at_zero = run.plan.depth == 1 && model.certain_from(key.topic.cluster) == 0;
    run.check(model.check_sequences(key, cursor[0].start, cursor[0].next, all_begin_at_zero));
    Ok(())
}
