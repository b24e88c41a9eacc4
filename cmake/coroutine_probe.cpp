// Exits 0 only where temporaries in a co_await expression are destroyed exactly once. g++ 12.2 fails this, silently:
// it destroys aggregate temporaries and capturing lambdas twice. CMake runs it before anything is built.
#include <coroutine>
#include <exception>
#include <string>
#include <utility>

namespace {

int alive = 0;

struct Counted {
    std::string text{"long enough to be kept on the heap"};
    Counted() { ++alive; }
    Counted(const Counted& other) : text{other.text} { ++alive; }
    Counted(Counted&& other) noexcept : text{std::move(other.text)} { ++alive; }
    ~Counted() { --alive; }
};

struct Aggregate {
    Counted first;
    Counted second;
};

struct Coroutine {
    struct promise_type {
        Coroutine get_return_object() { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() { std::terminate(); }
    };
};

struct SuspendsAndGoesOn {
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<>) const noexcept { return false; }
    void await_resume() const noexcept {}
};

SuspendsAndGoesOn takes_aggregate(Aggregate value)
{
    return value.first.text.empty() ? SuspendsAndGoesOn{} : SuspendsAndGoesOn{};
}

template <class Work>
SuspendsAndGoesOn takes_lambda(Work work)
{
    work();
    return {};
}

Coroutine probe()
{
    co_await takes_aggregate({});
    Counted captured;
    co_await takes_lambda([captured] { return captured.text.size(); });
}

}  // namespace

int main()
{
    probe();
    return alive == 0 ? 0 : 1;
}
