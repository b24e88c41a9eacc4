#pragma once

#include "core/random.hpp"
#include "exchange/copy/adaptive_limit.hpp"
#include "exchange/copy/byte_rate.hpp"
#include "exchange/copy/copy_ledger.hpp"
#include "ports/copy_site.hpp"

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace entrepot {

struct CopyOptions {
    bool overrides = true;  // a tag that is there and differs is moved
    bool with_referrers = true;
    // What refers to it is looked for once more when it is there, for who leaves to this copy what comes meanwhile.
    bool referrers_again = false;
    bool signed_only = false;
    std::vector<std::string> platforms{};  // "os/architecture[/variant]"; empty: all
    ByteRates rates{};

    std::uint64_t small_blob = std::uint64_t{64} << 10U;  // up to this many bytes go in one step
    std::uint64_t first_chunk = std::uint64_t{8} << 20U;
    std::uint64_t shortest_chunk = std::uint64_t{1} << 20U;
    std::uint64_t longest_chunk = std::uint64_t{64} << 20U;
    int most_tries = 5;  // without any byte of progress
    std::chrono::milliseconds first_wait{500};
    std::chrono::milliseconds longest_wait{30'000};
    std::chrono::seconds longest_rest{60};  // that a site asks for and that is waited for here
    std::chrono::milliseconds between_saves{5'000};
};

// What was done, in numbers.
struct CopyTally {
    std::uint64_t blobs = 0;      // whose bytes travelled
    std::uint64_t mounted = 0;    // that another repository of the target held
    std::uint64_t present = 0;    // that were there
    std::uint64_t manifests = 0;  // put there
    std::uint64_t bytes = 0;      // of blobs, sent
    std::uint64_t again = 0;      // of these: sent for the second time, because of breaks
    std::uint64_t skipped = 0;    // read only to get to the place to go on from, where the source knows no ranges
    std::uint64_t breaks = 0;
};

enum class CopyHalt {
    no,
    after_chunk,  // between two chunks
    now,          // also in the middle of one
};

// What a copy tells whoever asked for it, and asks them. All are called on the copy's executor.
struct CopyHooks {
    std::function<void(std::string)> log;
    std::function<CopyHalt()> halt;
    // The ledger has changed: durable when it answers.
    std::function<Task<>()> save;
};

// What all artifacts of one copy from site to site share: which blobs are there by now, which uploads are under way,
// and how patient it is. For one executor that doesn't run two of its coroutines at the same time.
class CopyRun {
public:
    struct Parts {
        CopySite& source;
        CopySite& target;
        std::shared_ptr<AdaptiveLimit> limit;
        const Clock& clock;
        Random& random;
    };
    CopyRun(Parts parts, CopyOptions options, CopyHooks hooks, CopyLedger ledger)
        : parts_{std::move(parts)}, options_{std::move(options)}, hooks_{std::move(hooks)}, ledger_{std::move(ledger)}
    {
    }

    CopySource& source() noexcept { return parts_.source; }
    CopyTarget& target() noexcept { return parts_.target; }
    AdaptiveLimit& limit() noexcept { return *parts_.limit; }
    const Clock& clock() const noexcept { return parts_.clock; }
    const CopyOptions& options() const noexcept { return options_; }
    CopyLedger& ledger() noexcept { return ledger_; }
    CopyTally& tally() noexcept { return tally_; }

    void log(std::string line) { hooks_.log(std::move(line)); }
    bool halted() const { return hooks_.halt() != CopyHalt::no; }
    bool halted_now() const { return hooks_.halt() == CopyHalt::now; }
    Result<> check_halt() const;
    Task<> save();
    Task<> save_now_and_then();

    // Whether trying again may help.
    static bool worth_retrying(Errc code) noexcept;
    // Waits after so many failures in a row, at least as long as the sites ask for. The error itself when there is no
    // use in waiting, with how long to stay away (retry_after) where a site said that; cancelled.
    Task<> rest_after(Error failure, int failures);

    // Asks until there is an answer that trying again would not change.
    template <class Ask>
    std::invoke_result_t<Ask&> patiently(Ask ask)
    {
        for (int failures = 1;; ++failures) {
            CO_CHECK(check_halt());
            auto answer = co_await ask();
            if (answer || !worth_retrying(answer.error().code())) co_return answer;
            CO_CHECK(co_await rest_after(answer.error(), failures));
        }
    }

    // CopyTarget::prepare(), once for each repository.
    Task<> prepare(RepositoryName into);

    // One blob in one repository: false when it is there by now; true: the caller brings it, and then says so.
    Task<bool> claim(const RepositoryName& into, const Digest& digest);
    void settle(const RepositoryName& into, const Digest& digest, bool there);
    // A repository of the target, but `into`, that this run knows to hold it.
    std::vector<RepositoryName> holders(const RepositoryName& into, const Digest& digest) const;

private:
    using Key = std::pair<std::string, std::string>;  // repository, digest

    std::chrono::milliseconds pause_after(int failures);

    Parts parts_;
    CopyOptions options_;
    CopyHooks hooks_;
    CopyLedger ledger_;
    CopyTally tally_;
    std::set<std::string> prepared_;
    std::map<Digest, std::vector<RepositoryName>> there_;
    std::map<Key, std::shared_ptr<asio::steady_timer>> under_way_;  // whose timer ends when it is settled
    std::chrono::steady_clock::time_point saved_at_{};
};

// "1.5 MiB".
std::string bytes_text(std::uint64_t bytes);
// "10.2 MiB/s".
std::string speed_text(std::uint64_t bytes, std::chrono::nanoseconds time);

}  // namespace entrepot
