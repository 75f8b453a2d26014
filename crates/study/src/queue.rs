//! [`Queue`]: which trial is next, and for how many epochs. It decides; whoever trains carries out.

use crate::config::Budget;
use crate::halving::Halving;
use crate::trial::{Status, Trial, TrialState};

/// The trials of a study with their states.
#[derive(Clone, Debug)]
pub struct Queue {
    trials: Vec<Trial>,
    states: Vec<TrialState>,
    /// The epochs of each arm; `None` where it counts steps.
    epochs: Vec<Option<usize>>,
    halving: Option<Halving>,
    budget: Budget,
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Train this trial, up to so many epochs where they are given, else to its end.
    Train {
        /// Its index.
        trial: usize,
        /// Epochs in all.
        until: Option<usize>,
    },
    /// Nothing before a trial under way has ended.
    Wait,
    /// Nothing: all trials are done.
    Done,
    /// Nothing: the budget is spent.
    Spent,
}

impl Queue {
    /// The queue of `trials`, each in its state, whose arms train for `epochs`.
    ///
    /// # Panics
    /// Where there is not one state a trial.
    pub fn new(
        trials: Vec<Trial>,
        states: Vec<TrialState>,
        epochs: Vec<Option<usize>>,
        halving: Option<Halving>,
        budget: Budget,
    ) -> Self {
        assert_eq!(trials.len(), states.len(), "each trial has a state");
        Self { trials, states, epochs, halving, budget }
    }

    /// The trials, in their order.
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// The state of a trial.
    pub fn state(&self, trial: usize) -> &TrialState {
        &self.states[trial]
    }

    /// The state of a trial, to be changed.
    pub fn state_mut(&mut self, trial: usize) -> &mut TrialState {
        &mut self.states[trial]
    }

    /// What is to be done next, after `seconds` of work in all. Decides on halving where its time has come.
    pub fn next(&mut self, seconds: f64) -> Next {
        for decision in self.decisions() {
            match self.next_before(decision, seconds) {
                Next::Done => self.halve(decision),
                next => return next,
            }
        }
        self.next_before(None, seconds)
    }

    /// The epochs of the decisions, in order.
    fn decisions(&self) -> Vec<Option<usize>> {
        let longest = self.epochs.iter().flatten().max().copied().unwrap_or(0);
        let decisions = self.halving.map_or_else(Vec::new, |halving| halving.decisions(longest));
        decisions.into_iter().map(Some).collect()
    }

    /// What is to be done before all trials have trained `decision` epochs.
    fn next_before(&self, decision: Option<usize>, seconds: f64) -> Next {
        let waits = |trial: &usize| {
            let state = &self.states[*trial];
            state.status == Status::Pending && decision.is_none_or(|decision| state.epochs < decision)
        };
        if let Some(trial) = (0..self.trials.len()).find(waits) {
            let own = self.epochs[self.trials[trial].arm];
            let until = decision.map(|decision| own.map_or(decision, |own| own.min(decision)));
            return if self.affords(trial, until.or(own), seconds) {
                Next::Train { trial, until }
            } else if self.is_busy() {
                Next::Wait
            } else {
                Next::Spent
            };
        }
        if self.is_busy() { Next::Wait } else { Next::Done }
    }

    fn is_busy(&self) -> bool {
        self.states.iter().any(|state| state.status == Status::Running)
    }

    /// Whether the budget allows that a trial trains `until` so many epochs. One that has begun counts as begun.
    fn affords(&self, trial: usize, until: Option<usize>, seconds: f64) -> bool {
        let has_begun = |state: &&TrialState| state.status != Status::Pending || state.epochs > 0;
        let begun = self.states.iter().filter(has_begun).count();
        let is_new = !has_begun(&&self.states[trial]);
        let trials = self.budget.trials.is_none_or(|trials| begun + usize::from(is_new) <= trials);
        let minutes = self.budget.minutes.is_none_or(|minutes| seconds < 60.0 * minutes);
        let epochs = self.budget.epochs.is_none_or(|epochs| {
            let missing = until.map_or(0, |until| until.saturating_sub(self.states[trial].epochs));
            self.epochs_spent() + missing <= epochs
        });
        trials && minutes && epochs
    }

    /// Epochs that were trained, and those that trials under way will have.
    fn epochs_spent(&self) -> usize {
        let spent = |(trial, state): (&Trial, &TrialState)| match state.status {
            Status::Running => self.epochs[trial.arm].map_or(state.epochs, |own| own.max(state.epochs)),
            _ => state.epochs,
        };
        self.trials.iter().zip(&self.states).map(spent).sum()
    }

    /// Ends the worse arms, of those that have come to `decision`. One that was decided on before is decided on alike.
    fn halve(&mut self, decision: Option<usize>) {
        let (Some(halving), Some(decision)) = (self.halving, decision) else { return };
        let states = || self.trials.iter().map(|trial| trial.arm).zip(&self.states);
        let is_past = states().any(|(_, state)| match state.status {
            Status::Ended => state.epochs >= decision,
            Status::Pending => state.epochs > decision,
            _ => false,
        });
        if is_past {
            return;
        }
        let present = |arm: &usize| states().all(|(of, state)| of != *arm || state.status != Status::Ended);
        let merit = |arm: usize| {
            let of_arm = states().filter(|(of, _)| *of == arm);
            let merits: Vec<f64> = of_arm.filter_map(|(_, state)| state.merit).collect();
            (arm, (!merits.is_empty()).then(|| merits.iter().sum::<f64>() / merits.len() as f64))
        };
        let merits: Vec<(usize, Option<f64>)> = (0..self.epochs.len()).filter(present).map(merit).collect();
        let ended = halving.ended(&merits);
        for (trial, state) in self.trials.iter().zip(&mut self.states) {
            if ended.contains(&trial.arm) && state.status == Status::Pending {
                state.status = Status::Ended;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::study;
    use crate::trial::trials;

    /// Four arms and two seeds of 4 epochs each.
    fn queue(text: &str) -> Queue {
        let arms: String = ["a", "b", "c", "d"].map(|name| format!("[[arms]]\nname = '{name}'\n")).concat();
        let config = study(&format!("seeds = [1, 2]\n{text}\n{arms}"));
        let trials = trials(&config.arms().unwrap(), &config.seeds);
        let states = vec![TrialState::default(); trials.len()];
        Queue::new(trials, states, vec![Some(4); 4], config.halving, config.budget)
    }

    /// Trains as the queue says, one trial at a time, until it says something else; the names of trials with their epochs.
    fn train(queue: &mut Queue, merit: impl Fn(usize) -> f64) -> (Vec<String>, Next) {
        let mut done = Vec::new();
        loop {
            let Next::Train { trial, until } = queue.next(0.0) else { return (done, queue.next(0.0)) };
            let arm = queue.trials()[trial].arm;
            let status = if until.is_none_or(|until| until == 4) { Status::Finished } else { Status::Pending };
            *queue.state_mut(trial) = TrialState { status, epochs: until.unwrap_or(4), merit: Some(merit(arm)) };
            done.push(format!("{}:{}", queue.trials()[trial].name, until.unwrap_or(4)));
        }
    }

    #[test]
    fn every_trial_is_trained_once() {
        let (done, next) = train(&mut queue(""), |_| 0.5);
        assert_eq!((done.len(), next), (8, Next::Done));
        assert_eq!(done[..2], ["a/seed-1:4", "b/seed-1:4"]);
    }

    #[test]
    fn a_failed_trial_does_not_stop_the_rest() {
        let mut queue = queue("");
        queue.state_mut(0).status = Status::Failed { cause: String::new() };
        assert_eq!(train(&mut queue, |_| 0.5).0.len(), 7);
    }

    #[test]
    fn trials_under_way_are_waited_for() {
        let mut queue = queue("budget = { trials = 1 }");
        assert!(matches!(queue.next(0.0), Next::Train { trial: 0, until: None }));
        queue.state_mut(0).status = Status::Running;
        assert_eq!(queue.next(0.0), Next::Wait);
    }

    #[test]
    fn a_budget_ends_the_study_after_trials_epochs_or_minutes() {
        let count = |text: &str| {
            let (done, next) = train(&mut queue(text), |_| 0.5);
            (done.len(), next)
        };
        assert_eq!(count("budget = { trials = 3 }"), (3, Next::Spent));
        assert_eq!(count("budget = { epochs = 11 }"), (2, Next::Spent));
        assert_eq!(count("budget = { epochs = 32 }"), (8, Next::Done));
        assert_eq!(queue("budget = { minutes = 2 }").next(120.0), Next::Spent);
    }

    #[test]
    fn epochs_of_trials_under_way_are_spent() {
        let mut queue = queue("budget = { epochs = 8 }");
        queue.state_mut(0).status = Status::Running;
        queue.state_mut(1).status = Status::Running;
        assert_eq!(queue.next(0.0), Next::Wait);
    }

    #[test]
    fn an_interrupted_trial_goes_on_within_its_budget() {
        let mut queue = queue("budget = { trials = 1, epochs = 4 }");
        queue.state_mut(0).epochs = 2;
        assert!(matches!(queue.next(0.0), Next::Train { trial: 0, .. }));
    }

    #[test]
    fn halving_lets_the_better_arms_go_on() {
        let mut queue = queue("halving = { first-epochs = 1 }");
        let (done, next) = train(&mut queue, |arm| [0.5, 0.9, 0.8, 0.6][arm]);
        assert_eq!(next, Next::Done);
        let of = |end: &str| done.iter().filter(|name| name.ends_with(end)).count();
        assert_eq!((of(":1"), of(":2"), of(":4")), (8, 4, 2));
        let ended: Vec<usize> = (0..8).filter(|trial| queue.state(*trial).status == Status::Ended).collect();
        assert_eq!(ended, [0, 2, 3, 4, 6, 7]);
        assert_eq!(queue.state(2).epochs, 2);
    }

    #[test]
    fn what_halving_has_decided_stays_decided() {
        let mut queue = queue("halving = { first-epochs = 2 }");
        for trial in 0..8 {
            *queue.state_mut(trial) = TrialState { status: Status::Pending, epochs: 2, merit: Some(trial as f64) };
        }
        assert!(matches!(queue.next(0.0), Next::Train { .. }));
        let ended = |queue: &Queue| (0..8).filter(|trial| queue.state(*trial).status == Status::Ended).count();
        assert_eq!(ended(&queue), 4);
        assert!(matches!(queue.next(0.0), Next::Train { .. }));
        assert_eq!(ended(&queue), 4);
    }
}
